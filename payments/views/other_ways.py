"""The page for readers who do not pay by card: bank transfer and other links.

Each view of it shows a new payment reference, so shared caches must not keep the page.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from payments import money
from payments.giving import other_ways as ways
from payments.giving.forms import amount_sentence


@require_safe
@cache_control(private=True, no_cache=True)
def other_ways(request: HttpRequest) -> HttpResponse:
    typed = request.GET.get("amount", "")[:60]
    amount, problem = _amount(typed) if ways.has_field() else (None, "")
    context = {
        "transfer": ways.transfer(amount),
        "typed": typed,
        "problem": problem,
        "sign_leads": money.sign_leads(),
        "links": ways.links(),
    }
    return render(request, "give/other_ways.html", context, status=422 if problem else 200)


def _amount(typed: str) -> tuple[int | None, str]:
    """Return the typed amount in euro cents, or None, and what is wrong with it; an empty field is not wrong.

    Banks set no maximum for transfers that we know of, so only the number of digits is limited.
    """
    if not typed.strip():
        return None, ""
    try:
        amount = money.parse(typed, "EUR")
        if not 0 < amount <= 99_999_999_999:
            raise money.AmountError("negative" if amount <= 0 else "too_long")
    except money.AmountError as problem:
        return None, amount_sentence(problem, "EUR")
    return amount, ""

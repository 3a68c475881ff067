"""The amount page: how often and how much, as one plain GET form.

give.py shows the same page again, with errors, for an invalid choice. The rules are in payments/giving/forms.py.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from members import clock
from payments import money, rhythms
from payments.giving.choices import next_on
from payments.giving.forms import CARRIED, ChoiceForm
from payments.giving.suggestions import Chip, chips, currency_for, first_choice
from payments.models import Frequency

LONGEST = 120  # characters of a value that are copied from the address into the form


@require_safe
@cache_control(public=True, max_age=60)
def choose(request: HttpRequest) -> HttpResponse:
    return render(request, "give/amount.html", amount_page(request, request.GET))


def amount_page(request: HttpRequest, data: Any, form: ChoiceForm | None = None) -> dict[str, Any]:
    """Return the context of the amount page: values from `data`, or else suggested ones.

    `form` is a bound, invalid form whose errors are shown; None on the first visit.
    """
    currency = currency_for(_text(data, "currency"), request.headers.get("Accept-Language", ""))
    frequency = _text(data, "frequency")
    frequency = frequency if frequency in rhythms.OFFERED else str(Frequency.MONTH)
    sets = [(each, chips(currency, each)) for each in rhythms.OFFERED]
    today = clock.today()
    return {
        "frequency": frequency,
        "frequencies": rhythms.OFFERED,
        "chips": dict(sets)[frequency],
        "other_sets": [(each, group) for each, group in sets if each != frequency],
        "monthly_on": next_on(Frequency.MONTH, today),
        "yearly_on": next_on(Frequency.YEAR, today),
        "came_from": {name: _text(data, name) for name in CARRIED if _text(data, name)},
        "currencies": [(code, money.name(code)) for code in settings.CURRENCIES],
        **_chosen_amount(data, dict(sets)[frequency], first_choice(currency, frequency), is_again=form is not None),
        **_currency_words(currency),
        **_problems(form),
    }


def _chosen_amount(data: Any, suggested: list[Chip], first: str, is_again: bool) -> dict[str, str]:
    """Return the chip that is chosen, and the text in the field for another amount.

    `first` is the chip that is chosen on the first visit. With `is_again`, no chip is chosen for the reader.
    """
    chosen, typed = _text(data, "amount"), _text(data, "other_amount")
    if chosen in [chip.value for chip in suggested]:
        return {"chosen": chosen, "typed": typed}
    if chosen not in ("", "other"):
        return {"chosen": "other", "typed": chosen}
    return {"chosen": "other" if chosen or typed else "" if is_again else first, "typed": typed}


def _currency_words(currency: str) -> dict[str, Any]:
    return {
        "currency": currency,
        "currency_name": money.name(currency),
        "sign": money.sign(currency),
        "sign_leads": money.sign_leads(),
    }


def _problems(form: ChoiceForm | None) -> dict[str, Any]:
    """Return one sentence per field with an error. A problem with the amount goes to the field that can correct it."""
    if form is None:
        return {"problems": {}}
    found = {name: str(messages[0]) for name, messages in form.errors.items() if name != "__all__"}
    about_amount = form.errors.as_data().get("__all__", [])
    if about_amount:
        is_missing = about_amount[0].code == "empty" and _text(form.data, "amount") != "other"
        found["amount" if is_missing else "other_amount"] = str(about_amount[0].message)
    return {"problems": found, "is_too_large": bool(about_amount) and about_amount[0].code == "too_large"}


def _text(data: Any, name: str) -> str:
    return str(data.get(name) or "").replace("\x00", "")[:LONGEST]

"""The details page, and the redirect from it to Stripe. No state is kept between pages except in their addresses.

The forms (payments/giving/forms.py) say what is allowed; payments/giving/checkout.py does the rest.
"""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from members import clock
from members.newsroom import values as newsroom
from payments.errors import KeyRefused, StripeRefused, StripeUnavailable
from payments.giving import checkout, consent, refused
from payments.giving.choices import Choice
from payments.giving.forms import (
    CARRIED,
    LONGEST_EMAIL,
    REAL_NEIGHBOURS,
    USUAL_DOMAINS,
    ChoiceForm,
    PersonForm,
    likely_email,
)
from payments.views import guarded
from payments.views.amount import amount_page


@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    """Show the details page for a valid choice, or else the amount page with its errors. POST leads to Stripe.

    An amount page that is shown after the details were typed carries them along, and posts them here with `step`: they
    never stand in an address.
    """
    data = request.POST if request.method == "POST" else request.GET
    form = ChoiceForm(data)
    request.page_query = _choice_query(data)  # type: ignore[attr-defined]
    if not form.is_valid():
        return _amount_again(request, form)
    if request.method == "POST" and data.get("step") != "amount":
        return _give(request, form.choice)
    typed = PersonForm(initial=_typed_person(request))
    response = render(request, "give/details.html", _details_page(request, form.choice, typed))
    response["Cache-Control"] = "private, no-cache"  # kept by the reader's own browser: going back loses nothing
    return response


def _give(request: HttpRequest, choice: Choice) -> HttpResponse:
    """Begin the checkout and redirect to Stripe; show the details page again if it cannot begin.

    422: invalid details, also to Stripe, or proof of work is missing; 429: held back as suspicious; 502: Stripe refuses
    by a fault of ours; 503: Stripe does not answer.
    """
    form = PersonForm(request.POST)
    if not form.is_valid():
        return _details_again(request, choice, form, 422)
    person = form.person(get_language() or settings.LANGUAGE_CODE)
    is_short = False
    if not checkout.has_begun(choice, person, _form_key(request)):
        verdict = guarded.ask(request, choice, person, _form_key(request))
        if verdict.answer != guarded.Answer.PASS:
            return _not_yet(request, choice, form, verdict)
        is_short = verdict.state != guarded.State.NORMAL
    words = consent.words(request, choice)
    try:
        begun = checkout.prepare(choice, person, words, _form_key(request), is_short=is_short)
        url = guarded.lead(request, begun)
    except (KeyRefused, StripeRefused) as problem:
        return _refused(request, choice, form, problem)
    except StripeUnavailable:
        return _details_again(request, choice, form, 503, trouble="stripe")
    response = HttpResponse(status=303)
    response["Location"] = url
    return response


def _not_yet(request: HttpRequest, choice: Choice, form: PersonForm, verdict: guarded.Verdict) -> HttpResponse:
    """Show what the door asks for first: proof of work, a link by email, or some patience. Typed answers are kept."""
    if verdict.answer == guarded.Answer.HELD:
        return _held(request, choice, form, trouble="held")
    person = form.person(get_language() or settings.LANGUAGE_CODE)
    if "by_email" not in request.POST:
        return _details_again(request, choice, form, 422, trouble="proof", state=verdict.state)
    if not guarded.may_email(request, person.email):
        return _held(request, choice, form, trouble="busy")
    begun = checkout.prepare(choice, person, consent.words(request, choice), _form_key(request))
    guarded.email(begun)
    context = {"choice": choice, "email": person.email, "typed_person": _typed_person(request)}
    return render(request, "give/by_email_sent.html", context | {"form_key": _form_key(request)})


def _held(request: HttpRequest, choice: Choice, form: PersonForm, trouble: str) -> HttpResponse:
    response = _details_again(request, choice, form, 429, trouble)
    response["Retry-After"] = str(newsroom.number("CHECKOUT_LIMIT_SECONDS"))
    return response


def _refused(
    request: HttpRequest, choice: Choice, form: PersonForm, problem: KeyRefused | StripeRefused
) -> HttpResponse:
    """Show a refusal of Stripe's at the field where the reader can correct it; else say that the fault is ours."""
    field = refused.field(problem)
    if field == "email":
        form.add_error("email", _("Stripe, which takes the payment, does not accept this address. Use another one"))
        return _details_again(request, choice, form, 422)
    if field == "amount" and isinstance(problem, StripeRefused):
        amount_form = ChoiceForm(request.POST)
        amount_form.add_error(None, ValidationError(refused.amount_sentence(problem), code=problem.code))
        return _amount_again(request, amount_form)
    refused.open_case(problem)
    return _details_again(request, choice, form, 502, trouble="ours")


def _amount_again(request: HttpRequest, form: ChoiceForm) -> HttpResponse:
    context = amount_page(request, form.data, form) | {"typed_person": _typed_person(request)}
    return render(request, "give/amount.html", context, status=422)


def _typed_person(request: HttpRequest) -> dict[str, str]:
    """Return what was typed on the details page, as it was; {} if nothing was."""
    typed = {name: str(request.POST.get(name) or "") for name in ("email", "name")}
    return {name: value[:LONGEST_EMAIL] for name, value in typed.items() if value}


def _details_again(
    request: HttpRequest,
    choice: Choice,
    form: PersonForm,
    status: int,
    trouble: str = "",
    state: guarded.State | None = None,
) -> HttpResponse:
    context = _details_page(request, choice, form, state) | {"trouble": trouble}
    return render(request, "give/details.html", context, status=status)


def _details_page(
    request: HttpRequest, choice: Choice, form: PersonForm, state: guarded.State | None = None
) -> dict[str, Any]:
    form_key = _form_key(request)
    return {
        "choice": choice,
        "form": form,
        "form_key": form_key,
        **guarded.challenge(request, choice, form_key, state),
        "today": clock.today(),
        "next_on": choice.next_on(clock.today()),
        "change_url": _change_url(request, choice),
        "problems": {name: messages[0] for name, messages in form.errors.items()},
        "promise": consent.promise(choice),
        "consent": consent.html(request, choice),
        "usual_domains": " ".join(USUAL_DOMAINS),
        "real_neighbours": " ".join(REAL_NEIGHBOURS),
        "likely_email": likely_email(str(form["email"].value() or "")) if form.is_bound else "",
    }


def _change_url(request: HttpRequest, choice: Choice) -> str:
    chosen_language = getattr(request, "chosen_language", "")
    carried = {"lang": chosen_language} if chosen_language else {}
    return f"{reverse('support')}?{urlencode(choice.fields() | carried)}"


def _form_key(request: HttpRequest) -> str:
    """Return the key that the form was rendered with, or a new one if it has none in our format."""
    key = request.POST.get("form_key", "")
    return key if re.fullmatch(r"[A-Za-z0-9_-]{16,64}", key) else secrets.token_urlsafe(24)


def _choice_query(data: QueryDict) -> QueryDict:
    """Return the choice as query parameters for links back and to other languages, also from a page shown by POST."""
    query = QueryDict(mutable=True)
    for name in ("frequency", "amount", "other_amount", "currency", *CARRIED):
        if data.get(name):
            query[name] = str(data[name])[:120]
    return query

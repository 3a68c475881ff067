"""Stripe refuses to begin a gift: said at its field if readers can correct it, else it is our fault and a case."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.http import HttpResponse

from payments.alerts import looks
from payments.models import Case, Checkout
from tests.payments.views.test_give import text
from tests.stage import Stage, hidden_fields

pytestmark = pytest.mark.django_db
AMOUNT = "line_items[0][price_data][unit_amount]"


def send(stage: Stage, email: str = "olena@example.org") -> HttpResponse:
    page = stage.client.get("/support/details/", {"frequency": "once", "amount": "10", "currency": "EUR"})
    fields = hidden_fields(page.content.decode()) | {"email": email, "name": "Olena"}
    return stage.client.post("/support/details/", fields)


def refuse(stage: Stage, code: str, param: str = "") -> None:
    stage.stripe.fail("400", path="/v1/checkout/sessions", method="POST", code=code, param=param)


def test_an_address_that_stripe_refuses_is_said_at_its_field(stage: Stage, caplog: Any) -> None:
    with caplog.at_level(logging.WARNING, logger="hromada"):
        answer = send(stage, "olena@localhost")
    body = answer.content.decode()
    assert answer.status_code == 422
    assert "does not accept this address" in body[body.index('id="email-error"') :][:300]
    assert 'value="olena@localhost"' in body
    assert 'value="Olena"' in body
    assert "not answering" not in body
    assert not Case.objects.exists()
    assert "gift refused by Stripe: email_invalid: customer_email" in caplog.text
    assert "localhost" not in caplog.text
    assert send(stage).status_code == 303


@pytest.mark.parametrize("param", ["customer_email", "email"])
def test_other_words_about_an_address_are_said_there_too(stage: Stage, param: str) -> None:
    refuse(stage, "parameter_invalid_empty", param)
    answer = send(stage)
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.content.decode()


@pytest.mark.parametrize(("code", "word"), [("amount_too_small", "larger"), ("amount_too_large", "smaller")])
def test_an_amount_that_stripe_refuses_is_said_at_its_field(stage: Stage, code: str, word: str) -> None:
    refuse(stage, code, AMOUNT)
    answer = send(stage)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert f"Choose a {word} amount" in text(answer)
    assert 'data-step="amount"' in body
    assert not Case.objects.exists()


def test_what_was_typed_before_the_amount_was_refused_stays(stage: Stage) -> None:
    """By POST, so that no address of a page names the reader."""
    refuse(stage, "amount_too_small", AMOUNT)
    page = send(stage).content.decode()
    form = page[page.index('id="amount-form"') :]
    assert 'method="post"' in form[:200]
    fields = hidden_fields(form[: form.index("</form>")]) | {"frequency": "once", "amount": "other"}
    assert (fields["email"], fields["name"]) == ("olena@example.org", "Olena")
    wrong = stage.client.post("/support/details/", fields | {"other_amount": "x"})
    assert wrong.status_code == 422
    assert 'value="olena@example.org"' in wrong.content.decode()
    details = stage.client.post("/support/details/", fields | {"other_amount": "25"})
    assert details.status_code == 200
    assert details["Cache-Control"] == "private, no-cache"
    body = details.content.decode()
    assert 'value="olena@example.org"' in body
    assert 'value="Olena"' in body
    assert not Checkout.objects.filter(amount=2500).exists(), "nothing is given before the reader has agreed to the sum"
    given = stage.client.post("/support/details/", hidden_fields(body) | {"email": "olena@example.org"})
    assert given.status_code == 303
    assert Checkout.objects.get(amount=2500).status == "open"


def test_any_other_refusal_is_our_fault_and_a_case(stage: Stage, caplog: Any) -> None:
    for number in range(2):
        refuse(stage, "parameter_unknown", "colour")
        answer = send(stage, f"olena{number}@example.org")
        assert answer.status_code == 502
        assert "The fault is ours" in text(answer)
        assert "not answering" not in text(answer)
        assert f'value="olena{number}@example.org"' in answer.content.decode()
    case = Case.objects.get()
    assert (case.kind, case.facts) == ("request_refused", {"reason": "parameter_unknown: colour"})
    assert "gift refused by Stripe: parameter_unknown: colour" in caplog.text
    assert "example.org" not in caplog.text
    facts = looks.gifts_refused()
    assert facts
    assert (facts["count"], facts["reason"]) == (1, "parameter_unknown: colour")
    assert looks.open_cases(Case.Kind.REQUEST_REFUSED)() is None, "it has an alert of its own"


@pytest.mark.parametrize(("kind", "reason"), [("401", "status 401"), ("403", "rak_subscription_read")])
def test_a_key_that_may_not_begin_a_gift_is_our_fault_and_alerts(stage: Stage, kind: str, reason: str) -> None:
    stage.stripe.fail(kind, times=9, path="/v1/checkout/sessions")
    answer = send(stage)
    assert (answer.status_code, Case.objects.count()) == (502, 1)
    assert "The fault is ours" in text(answer)
    facts = looks.gifts_refused()
    assert facts
    assert reason in facts["reason"]
    stage.stripe.clear_faults()
    assert send(stage).status_code == 303


def test_a_key_that_was_sent_with_other_parameters_begins_the_gift_anyway(stage: Stage) -> None:
    stage.stripe.fail("reused", path="/v1/checkout/sessions", method="POST")
    assert send(stage).status_code == 303
    assert Checkout.objects.get().attempt == 2


def test_a_silent_stripe_is_still_said_to_be_silent(stage: Stage) -> None:
    stage.stripe.fail("500", times=9)
    answer = send(stage)
    assert answer.status_code == 503
    assert "not answering" in text(answer)
    assert not Case.objects.exists()

"""A reader gives once: paid at once, after a decline, after the bank's question; and never twice by accident."""

from __future__ import annotations

from members import clock
from members.models import Consent, Membership, Message, Supporter
from payments.models import Case, Checkout, LedgerEntry, Payment
from tests.stage import Stage, hidden_fields


def test_a_gift_once_is_thanked_and_makes_nobody_a_patron(stage: Stage) -> None:
    checkout = stage.join("once", amount="25")
    assert checkout.status == "complete"
    payment = Payment.objects.get()
    assert (payment.amount, payment.frequency, payment.method) == (2500, "once", "Visa 4242")
    assert not Membership.objects.exists()
    assert [m.kind for m in Message.objects.all()] == ["thanks_first_once"]
    stage.advance(60)
    assert Payment.objects.count() == 1
    assert stage.books()["broken"] == []


def test_who_gives_again_is_thanked_as_one_who_did_and_once(stage: Stage) -> None:
    stage.join("once", amount="25")
    stage.advance(40)
    stage.join("once", amount="30", form_key="forty days later")
    for event in stage.stripe.outbox():
        stage.post(event)
    stage.settle_down()
    assert [m.kind for m in Message.objects.order_by("pk")] == ["thanks_first_once", "thanks_repeat_once"]
    again = Message.objects.latest("pk")
    assert again.context["gave_first_on"] == str(clock.day_of(Payment.objects.order_by("paid_at")[0].created_at))
    assert again.subject == "Thank you again: €30.00 arrived"


def test_what_was_agreed_is_kept_in_the_words_shown(stage: Stage) -> None:
    checkout = stage.join("once", amount="25")
    consent = Consent.objects.get()
    assert checkout.consent == consent
    assert "€25" in consent.words
    assert len(consent.words_version) == 16
    assert consent.language == "en"


def test_nothing_about_a_person_is_in_stripe_s_metadata(stage: Stage) -> None:
    checkout = stage.join("month", amount="10")
    for event in stage.stripe.events():
        for holder in (event["data"]["object"], *(event["data"]["object"].get("lines", {}).get("data", []))):
            metadata = holder.get("metadata") or {}
            assert metadata in ({}, {"hromada_checkout": str(checkout.public_id)}), event["type"]


def test_no_supporter_is_made_before_money_comes(stage: Stage) -> None:
    checkout = stage.give("once", amount="25")
    assert stage.pay(checkout, card="4000000000000002") == "failed"
    stage.settle_down()
    assert not Supporter.objects.exists()
    assert not Payment.objects.exists()
    checkout.refresh_from_db()
    assert checkout.failure_code == "generic_decline"
    assert not Message.objects.exists()


def test_declined_then_paid_is_one_gift_and_one_thank_you(stage: Stage) -> None:
    checkout = stage.give("once", amount="25")
    assert stage.pay(checkout, card="4000000000000002") == "failed"
    assert stage.pay(checkout) == "succeeded"
    stage.settle_down()
    assert Payment.objects.get().status == "succeeded"
    assert LedgerEntry.objects.filter(kind="charge").count() == 1
    assert Message.objects.count() == 1
    assert stage.books()["broken"] == []


def test_the_bank_asks_and_the_reader_answers(stage: Stage) -> None:
    checkout = stage.give("month", amount="10")
    assert stage.pay(checkout, card="4000002500003155", authenticate=True) == "succeeded"
    stage.settle_down()
    assert Payment.objects.get().status == "succeeded"


def test_the_bank_asks_and_the_reader_fails(stage: Stage) -> None:
    checkout = stage.give("month", amount="10")
    stage.pay(checkout, card="4000002500003155", authenticate=False)
    stage.settle_down()
    assert not Payment.objects.exists()
    assert stage.pay(checkout) == "succeeded"
    stage.settle_down()
    assert Payment.objects.get().status == "succeeded"


def test_a_double_click_makes_one_session(stage: Stage) -> None:
    page = stage.client.get("/support/details/", {"frequency": "once", "amount": "25", "currency": "EUR"})
    fields = hidden_fields(page.content.decode()) | {"email": "olena@example.org", "name": ""}
    addresses = {stage.client.post("/support/details/", fields)["Location"] for _ in range(3)}
    assert len(addresses) == 1
    assert Checkout.objects.count() == 1
    made = [r for r in stage.stripe.requests if r.method == "POST" and r.path == "/v1/checkout/sessions"]
    assert len(made) == 1


def test_the_form_again_after_paying_leads_to_the_thanks(stage: Stage) -> None:
    page = stage.client.get("/support/details/", {"frequency": "once", "amount": "25", "currency": "EUR"})
    fields = hidden_fields(page.content.decode()) | {"email": "olena@example.org", "name": ""}
    stage.client.post("/support/details/", fields)
    stage.pay(Checkout.objects.get())
    stage.settle_down()
    again = stage.client.post("/support/details/", fields)
    assert "/support/return/" in again["Location"]
    assert 'data-state="paid"' in stage.client.get(again["Location"]).content.decode()
    assert Checkout.objects.count() == 1


def test_two_tabs_paid_twice_are_both_booked_and_shown_to_staff(stage: Stage) -> None:
    first, second = stage.give("once", amount="25"), stage.give("once", amount="25")
    assert first.pk != second.pk
    stage.pay(first)
    stage.pay(second)
    stage.settle_down()
    assert Payment.objects.filter(status="succeeded").count() == 2
    case = Case.objects.get()
    assert case.kind == "duplicate_payment"
    assert case.facts["payments"] == sorted(Payment.objects.values_list("pk", flat=True))


def test_two_subscriptions_of_one_person_are_shown_to_staff_when_the_second_starts(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.join("month", amount="20", email="OLENA@example.org")
    assert Supporter.objects.count() == 1
    assert [case.kind for case in Case.objects.all()] == ["duplicate_subscription"]


def test_stripe_not_answering_keeps_the_form_and_makes_one_session_later(stage: Stage) -> None:
    page = stage.client.get("/support/details/", {"frequency": "once", "amount": "25", "currency": "EUR"})
    fields = hidden_fields(page.content.decode()) | {"email": "olena@example.org", "name": "Олена"}
    stage.stripe.fail("500", times=4)
    answer = stage.client.post("/support/details/", fields)
    assert answer.status_code == 503
    assert "olena@example.org" in answer.content.decode()
    stage.stripe.clear_faults()
    assert stage.client.post("/support/details/", fields).status_code == 303
    assert Checkout.objects.count() == 1


def test_one_error_of_stripe_s_does_not_reach_the_reader(stage: Stage) -> None:
    """Stripe keeps an error for its key for a day: the same form under the same key would fail all that time."""
    stage.stripe.fail("500", path="/v1/checkout/sessions")
    checkout = stage.give("once", amount="25")
    assert checkout.attempt == 2
    assert stage.pay(checkout) == "succeeded"
    stage.settle_down()
    assert Payment.objects.get().status == "succeeded"


def test_stripe_takes_another_amount_than_agreed_is_booked_and_shown(stage: Stage) -> None:
    checkout = stage.give("once", amount="25")
    Checkout.objects.filter(pk=checkout.pk).update(amount=2400)
    stage.pay(checkout)
    stage.settle_down()
    assert Payment.objects.get().amount == 2500
    assert Case.objects.get().kind == "amount_mismatch"
    assert stage.books()["broken"] == []

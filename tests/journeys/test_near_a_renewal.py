"""What is asked for near a renewal is what happens: its invoice is a draft for an hour, then open or with the bank.

A stop and a pause void what exists. What cannot be voided is named, by page and email, before they promise anything.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import stripe

from members import clock
from payments.models import Case, Payment, RefundRequest, Subscription, UnpaidInvoice
from payments.recurring import change_calls, changes
from payments.templatetags.money import day
from tests.journeys.letters import kinds, words
from tests.payments.reader_links import FAILS, SEPA, at_stripe, press, state_of, stop_page
from tests.stage import KEY, Stage

pytestmark = pytest.mark.django_db

NOTHING_MORE = "Nothing more will be charged"
FAR_TOO_LATE = timedelta(hours=2)


def dashboard(stage: Stage) -> stripe.StripeClient:
    return stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url})


def in_the_hour(stage: Stage, **how: Any) -> str:
    """A monthly gift of 10 euros, a minute after its renewal's invoice was made; the id of that invoice."""
    stage.join("month", amount="10", **how)
    stage.sleep_into_the_hour()
    return UnpaidInvoice.objects.get().stripe_invoice_id


def later(stage: Stage, span: timedelta = FAR_TOO_LATE) -> None:
    stage.move(span)
    stage.settle_down()


def page(stage: Stage) -> str:
    return " ".join(stage.client.get(stop_page()).content.decode().split())


def pressed(stage: Stage, do: str, **more: str) -> str:
    return " ".join(stage.client.post(stop_page(), {"do": do, **more}).content.decode().split())


def received() -> list[int]:
    return list(Payment.objects.filter(status="succeeded").order_by("pk").values_list("amount", flat=True))


def is_still_taken(sum: str = "€10.00") -> str:
    return f"The payment of {sum} due on {day(clock.today())} is already under way. We'll still take it."


# While it is a draft


def test_the_hour_itself(stage: Stage) -> None:
    invoice = in_the_hour(stage)
    assert stage.stripe.get(invoice)["status"] == "draft"
    row = UnpaidInvoice.objects.get()
    assert (row.amount, row.currency, clock.day_of(row.due_at)) == (1000, "EUR", clock.today())
    assert received() == [1000]
    later(stage)
    assert received() == [1000, 1000]
    assert not UnpaidInvoice.objects.exists()


def test_a_stop(stage: Stage) -> None:
    invoice = in_the_hour(stage)
    answer = pressed(stage, "stop")
    assert state_of(answer.encode()) == "done"
    assert f"Done. {NOTHING_MORE}." in answer
    assert stage.stripe.get(invoice)["status"] == "void"
    later(stage)
    assert kinds()[-1] == "cancelled"
    assert words("cancelled").startswith(f"Done. {NOTHING_MORE}.")
    assert "under way" not in words("cancelled")
    stage.sleep(40)
    assert received() == [1000]
    assert Subscription.objects.get().status == "canceled"
    assert not UnpaidInvoice.objects.exists()
    assert not RefundRequest.objects.exists()
    assert stage.books()["broken"] == []


def test_a_pause(stage: Stage) -> None:
    invoice = in_the_hour(stage)
    assert f"Paused until {day(clock.day_of(changes.resumes_at()))}." in pressed(stage, "pause")
    assert stage.stripe.get(invoice)["status"] == "void"
    later(stage)
    assert kinds()[-1] == "paused"
    assert "Nothing is charged meanwhile." in words("paused")
    stage.sleep(85)
    assert received() == [1000]
    stage.sleep(15)
    assert received() == [1000, 1000]


def test_a_lower_amount_names_what_is_taken_as_before(stage: Stage) -> None:
    invoice = in_the_hour(stage)
    expected = is_still_taken()
    assert expected in page(stage), "before it is asked for"
    assert expected in pressed(stage, "lower", amount="500")
    stage.settle_down()
    assert expected in words("plan_changed")
    assert "From now on you give €5.00 every month." in words("plan_changed")
    renews_on = Subscription.objects.get().renews_on
    later(stage)
    assert stage.stripe.get(invoice)["amount_paid"] == 1000
    assert expected not in page(stage), "it has come"
    stage.sleep_until(renews_on)
    assert received() == [1000, 1000, 500]
    assert not Case.objects.exists()


def test_the_page_says_what_is_taken_first(stage: Stage) -> None:
    in_the_hour(stage)
    press(stage, "lower", amount="500")
    press(stage, "pause")
    found = page(stage)
    assert "Paused until" in found
    assert "is already under way" not in found, "the pause has voided what the lower amount had left"


def test_an_end_at_once(stage: Stage) -> None:
    """A draft of a subscription that has ended would be finished and collected like any other."""
    invoice = in_the_hour(stage)
    change_calls.ask(changes.record_stop(Subscription.objects.get(), "staff", at_once=True))
    assert stage.stripe.get(invoice)["status"] == "void"
    later(stage)
    assert (received(), at_stripe()["status"]) == ([1000], "canceled")
    assert words("cancelled").startswith(f"Done. {NOTHING_MORE}.")
    assert not Case.objects.exists()


def test_an_end_in_the_dashboard_names_the_payment_that_is_still_taken(stage: Stage) -> None:
    """Nobody asked us to void it: staff see what Stripe does, and the email says it."""
    in_the_hour(stage)
    expected = is_still_taken()
    stage.stripe.cancel(Subscription.objects.get().stripe_subscription_id)
    stage.settle_down()
    told = words("cancelled")
    assert told.startswith("Done. Your gift has stopped.")
    assert f"{expected} We won't take any more payments for this gift after that." in told
    assert NOTHING_MORE not in told
    later(stage)
    assert received() == [1000, 1000]
    assert Case.objects.get().kind == "payment_after_end"


def test_a_draft_that_stripe_cannot_finish_is_kept_from_being_taken(stage: Stage) -> None:
    invoice = in_the_hour(stage)
    stripe_id = Subscription.objects.get().stripe_subscription_id
    stage.stripe.break_invoices(stripe_id)
    assert f"Done. {NOTHING_MORE}." in pressed(stage, "stop")
    assert (stage.stripe.get(invoice)["status"], stage.stripe.get(invoice)["auto_advance"]) == ("draft", False)
    later(stage)
    assert received() == [1000]


# While it is open


@pytest.mark.parametrize(("do", "kind"), [("stop", "cancelled"), ("pause", "paused")])
def test_an_open_one_is_voided(stage: Stage, do: str, kind: str) -> None:
    invoice = in_the_hour(stage)
    dashboard(stage).v1.invoices.finalize_invoice(invoice, {"auto_advance": False})
    press(stage, do)
    assert stage.stripe.get(invoice)["status"] == "void"
    later(stage)
    assert (received(), kinds()[-1]) == ([1000], kind)


def test_an_overdue_one_is_voided_by_a_stop(stage: Stage) -> None:
    stage.join("month", amount="10", card=FAILS)
    stage.sleep(33)
    payment = Payment.objects.get(status="failed")
    assert f"Done. {NOTHING_MORE}." in pressed(stage, "stop")
    assert stage.stripe.get(payment.stripe_invoice_id)["status"] == "void"
    stage.settle_down()
    assert words("cancelled").startswith(f"Done. {NOTHING_MORE}.")
    stage.stripe.set_payment_method(Subscription.objects.get().stripe_customer_id)
    stage.sleep(20)
    assert received() == [1000]
    assert Payment.objects.get(status="failed").failing_since is None


def test_an_end_at_once_does_not_end_the_tries_of_another_gift(stage: Stage) -> None:
    """Both belong to one customer at Stripe; an immediate end stops the collection of all open invoices of that."""
    stage.join("month", amount="10", card=FAILS)
    stage.join("month", amount="20", card=FAILS, form_key="besides")
    first, second = Subscription.objects.order_by("pk")
    with stage.stripe.world.transaction():
        for kind in ("subscription", "payment_method"):
            for document in stage.stripe.world.store.where(kind, customer=second.stripe_customer_id):
                stage.stripe.world.update(document, customer=first.stripe_customer_id)
    Subscription.objects.update(stripe_customer_id=first.stripe_customer_id)
    stage.sleep(33)
    tried = {row.subscription_id: row.stripe_invoice_id for row in Payment.objects.filter(status="failed")}
    changes.request_stop(first, "mail")
    assert stage.stripe.get(tried[first.pk])["status"] == "void"
    assert stage.stripe.get(tried[second.pk])["auto_advance"]
    stage.settle_down()
    stage.stripe.set_payment_method(first.stripe_customer_id)
    stage.sleep(4)
    assert stage.stripe.get(tried[second.pk])["status"] == "paid"
    assert Subscription.objects.get(pk=second.pk).status == "active"


def test_a_stop_of_one_that_is_behind_made_in_the_dashboard_names_the_next_try(stage: Stage) -> None:
    stage.join("month", amount="10", card=FAILS)
    stage.sleep(33)
    payment = Payment.objects.get(status="failed")
    assert payment.next_attempt_at
    stage.stripe.cancel(Subscription.objects.get().stripe_subscription_id, at_period_end=True)
    stage.settle_down()
    next_try = day(clock.day_of(payment.next_attempt_at))
    assert f"The payment of €10.00 that didn't go through may be tried again on {next_try}." in words("cancelled")
    assert NOTHING_MORE not in words("cancelled")


# While it is with the bank


@pytest.mark.parametrize(("do", "kind"), [("stop", "cancelled"), ("pause", "paused"), ("lower", "plan_changed")])
def test_a_debit_under_way_is_named_with_its_sum_and_day(stage: Stage, do: str, kind: str) -> None:
    stage.join("month", amount="10", iban=SEPA)
    stage.sleep(33)
    debit = Payment.objects.get(status="processing")
    since = day(clock.day_of(debit.created_at))
    expected = f"Your bank has had a payment of €10.00 in hand since {since}, and it may still arrive."
    assert expected in page(stage)
    answer = pressed(stage, do, amount="500")
    assert expected in answer
    assert NOTHING_MORE not in answer
    stage.settle_down()
    assert expected in words(kind)
    assert not any(promise in words(kind) for promise in (NOTHING_MORE, "Nothing is charged meanwhile"))
    stage.sleep(7)
    assert received() == [1000, 1000]
    assert not RefundRequest.objects.exists(), "it was ordered before anybody asked for a stop"
    assert expected not in page(stage)


def test_an_end_at_once_names_the_debit_under_way(stage: Stage) -> None:
    stage.join("month", amount="10", iban=SEPA)
    stage.sleep(33)
    change_calls.ask(changes.record_stop(Subscription.objects.get(), "staff", at_once=True))
    stage.settle_down()
    assert at_stripe()["status"] == "canceled"
    assert "Your bank has had a payment of €10.00 in hand since" in words("cancelled")
    assert NOTHING_MORE not in words("cancelled")
    stage.sleep(7)
    assert received() == [1000, 1000]
    assert Case.objects.get().kind == "payment_after_end"


def test_a_debit_that_we_do_not_know_yet_is_named_too(stage: Stage) -> None:
    in_the_hour(stage, iban=SEPA)
    stage.move(FAR_TOO_LATE)  # Stripe has ordered it at the bank, and its events are still on their way
    assert not Payment.objects.filter(status="processing").exists()
    assert "Your bank has had a payment of €10.00 in hand" in pressed(stage, "stop")

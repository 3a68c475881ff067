"""The hourly comparison of the balance: a difference of one cent is found within the hour, in a few reads."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe

from members import clock
from payments import tasks
from payments.alerts import rules
from payments.models import Difference, Reconciliation
from payments.webhooks import drain
from tests.payments.reconciling.setting import alter, balance_line, compare, counts, found
from tests.stage import KEY, Stage


def an_hour_later(stage: Stage) -> Reconciliation:
    """Move both clocks by an hour, deliver nothing, run the hourly task; return its run."""
    stage.stripe.advance(seconds=3600)
    clock.move(timedelta(hours=1))
    tasks.compare_balance()
    return Reconciliation.objects.filter(kind="balance").latest("pk")


def test_one_unit_is_found_and_told_within_the_hour(stage: Stage) -> None:
    stage.join("once")
    assert compare(stage).found == 0
    stage.join("month", email="b@example.org")
    line = balance_line(stage, "charge")
    newest = stage.stripe.world.store.all("balance_transaction")[-1]
    assert newest["id"] != line["id"]
    alter(stage, newest["id"], amount=newest["amount"] + 1)
    before = counts()
    run = an_hour_later(stage)
    assert (run.error, run.found) == ("", 1)
    assert found() == {("balance_transaction", "amount", "1000 EUR", "1001 EUR")}
    assert rules.BY_NAME["differences-open"].look() == {"count": 1}
    assert counts() == before, "nothing is changed silently"
    alter(stage, newest["id"], amount=newest["amount"] - 1)
    assert an_hour_later(stage).found == 0
    assert Difference.objects.get().state == "gone"


def test_gifts_that_were_never_booked_are_found_within_the_hour(stage: Stage) -> None:
    """A one-off gift has our metadata on its charge; of a monthly one only the invoice shows that it is ours."""
    compare(stage)
    stage.pay(stage.give("once"))
    stage.pay(stage.give("month", amount="20", email="b@example.org"))
    assert an_hour_later(stage).found == 2
    assert {(field, theirs.partition(",")[0]) for _, field, _, theirs in found()} == {
        ("missing", "1000 EUR"),
        ("missing", "2000 EUR"),
    }
    stage.settle_down()
    assert an_hour_later(stage).found == 0, "they came after all"


def test_what_others_sell_and_a_late_fee_are_no_differences(stage: Stage) -> None:
    shop = stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url})
    price = {"currency": "eur", "unit_amount": 900, "product_data": {"name": "A book"}}
    session = shop.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://shop.example.org/",
            "line_items": [{"quantity": 1, "price_data": price}],
        },
    )
    stage.stripe.pay(session.id, email="buyer@example.org")
    stage.stripe.refund(session.id, 100)
    stage.pay(stage.give("once"))
    stage.bring()
    drain.until_nothing_is_due()
    assert an_hour_later(stage).found == 0
    assert found() == set()


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_a_debit_that_the_bank_has_is_no_difference(stage: Stage, frequency: str) -> None:
    """Its line is in Stripe's balance from the day of its order, whether its events have arrived or not."""
    compare(stage)
    checkout = stage.give(frequency)
    stage.pay(checkout, iban="DE62370400440532013001")
    assert an_hour_later(stage).found == 0
    stage.settle_down()
    assert an_hour_later(stage).found == 0
    stage.stripe.settle_sepa(checkout.stripe_session_id, succeeds=False)
    assert balance_line(stage, "payment_failure_refund")["amount"] == -1000
    assert an_hour_later(stage).found == 0
    stage.settle_down()
    assert compare(stage).found == 0


def test_it_looks_back_to_the_last_agreement_and_asks_for_one_page(stage: Stage) -> None:
    stage.join("once")
    agreed = compare(stage)
    clock.move(timedelta(days=2))
    stage.stripe.advance(days=2)
    before = len(stage.stripe.requests)
    run = an_hour_later(stage)
    assert run.since == agreed.until - timedelta(hours=1)
    assert len(stage.stripe.requests) - before == 1
    assert an_hour_later(stage).since == run.until - timedelta(hours=1)


def test_what_the_night_found_elsewhere_stays_open(stage: Stage) -> None:
    stage.join("month")
    stage.stripe.cancel(stage.stripe.world.store.all("subscription")[0]["id"])
    compare(stage)
    an_hour_later(stage)
    assert {kind for kind, *_ in found()} == {"subscription"}


def test_stripe_away_is_no_agreement(stage: Stage) -> None:
    agreed = compare(stage)
    stage.stripe.fail("500", times=9, path="/v1/balance_transactions")
    assert an_hour_later(stage).error == "StripeUnavailable: APIError"
    stage.stripe.clear_faults()
    assert an_hour_later(stage).since == agreed.until - timedelta(hours=1)

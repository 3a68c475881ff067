"""The account of a gift: one state, one next payment, and everything that speaks against either."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.template import Context, Template

from members import clock
from payments.accounts import account as accounts
from payments.models import Subscription, SubscriptionChange
from tests import factories

pytestmark = pytest.mark.django_db
APRIL = datetime(2026, 4, 20, 12, tzinfo=UTC)


def gift(**values: Any) -> Subscription:
    """Return a monthly gift of 10 euros that renews on 20 January 2026, with one payment received."""
    row = factories.subscription(**values)
    factories.payment(row.supporter, subscription=row, frequency="month")
    return row


def ask(row: Subscription, kind: str, params: dict[str, Any], state: str = "accepted", **values: Any) -> None:
    SubscriptionChange.objects.create(
        subscription=row, kind=kind, stripe_params=params, state=state, surface="mail", **values
    )


def failed(row: Subscription, **values: Any) -> None:
    ordinary: dict[str, Any] = {
        "status": "failed",
        "frequency": "month",
        "failing_since": APRIL,
        "stripe_invoice_id": f"in_{row.payments.count()}",
    }
    factories.payment(row.supporter, subscription=row, **{**ordinary, **values})


def test_a_gift_that_goes_on() -> None:
    found = accounts.of(gift())
    assert (found.state, found.amount, found.next_on, found.ends_on) == ("active", 1000, date(2026, 1, 20), None)
    assert found.last_on == date(2025, 12, 20)
    assert found.amount_before is None


def test_a_lower_amount_that_stripe_accepted_counts_before_it_is_read() -> None:
    row = gift()
    ask(row, "amount", {"items": []}, amount=600, amount_before=1000)
    found = accounts.of(row)
    assert (found.state, found.amount, found.amount_before) == ("active", 600, 1000)


@pytest.mark.parametrize("kind", ["stop", "pause"])
def test_a_request_that_stripe_has_not_answered_changes_nothing(kind: str) -> None:
    row = gift()
    params = {"stop": {"cancel_at_period_end": True}, "pause": {"pause_collection": {"resumes_at": 1_776_600_000}}}
    ask(row, kind, params[kind], state="requested")
    assert accounts.of(row).state == "active"


@pytest.mark.parametrize("is_read", [True, False])
def test_stopping_ends_with_the_paid_time(is_read: bool) -> None:
    row = gift(cancel_at_period_end=is_read)
    if not is_read:
        ask(row, "stop", {"cancel_at_period_end": True})
    found = accounts.of(row)
    assert (found.state, found.next_on, found.ends_on) == ("ending", None, date(2026, 1, 20))


def test_a_pause_takes_the_first_payment_on_or_after_its_end() -> None:
    row = gift(collection_paused=True, resumes_at=datetime(2026, 4, 1, tzinfo=UTC))
    found = accounts.of(row)
    assert (found.state, found.resumes_on, found.next_on) == ("paused", date(2026, 4, 1), date(2026, 4, 20))


def test_a_pause_that_stripe_accepted_counts_before_it_is_read() -> None:
    row = gift()
    ask(row, "pause", {"pause_collection": {"behavior": "void", "resumes_at": int(APRIL.timestamp())}})
    found = accounts.of(row)
    assert (found.state, found.resumes_on, found.next_on) == ("paused", date(2026, 4, 20), date(2026, 4, 20))


def test_a_pause_without_an_end_has_no_next_payment() -> None:
    found = accounts.of(gift(collection_paused=True))
    assert (found.state, found.resumes_on, found.next_on) == ("paused", None, None)


def test_overdue_since_how_much_and_tried_next() -> None:
    row = gift(status="past_due")
    failed(row, next_attempt_at=datetime(2026, 4, 25, 12, tzinfo=UTC))
    failed(row, stripe_invoice_id=None)
    found = accounts.of(row)
    assert (found.state, found.overdue_amount, found.overdue_since, found.next_try_on) == (
        "past_due",
        1000,
        date(2026, 4, 20),
        date(2026, 4, 25),
    )


@pytest.mark.parametrize("state", ["requested", "accepted"])
def test_nothing_is_overdue_once_a_stop_was_asked_for(state: str) -> None:
    row = gift(status="past_due")
    failed(row)
    ask(row, "stop", {}, state=state)
    found = accounts.of(row)
    assert found.overdue == []
    assert found.state == ("ended" if state == "accepted" else "active")


def test_a_first_payment_with_the_bank() -> None:
    row = factories.subscription()
    factories.payment(row.supporter, subscription=row, status="processing")
    found = accounts.of(row)
    assert (found.state, found.with_bank_amount, found.last) == ("processing", 1000, None)


def test_a_later_payment_with_the_bank_is_named_whatever_the_state() -> None:
    row = gift(cancel_at_period_end=True)
    factories.payment(row.supporter, subscription=row, status="processing", amount=700)
    found = accounts.of(row)
    assert (found.state, found.with_bank_amount) == ("ending", 700)


def test_an_ended_gift() -> None:
    found = accounts.of(gift(status="canceled", ended_at=APRIL))
    assert (found.state, found.next_on, found.ends_on) == ("ended", None, date(2026, 4, 20))


def test_many_accounts_take_six_queries(django_assert_num_queries: Any) -> None:
    rows = [gift() for _ in range(5)]
    failed(rows[0])
    with django_assert_num_queries(6):
        assert len(accounts.of_all(rows)) == 5
    with django_assert_num_queries(6):
        assert accounts.of_all([]) == []


def test_what_pages_say_to_machines() -> None:
    row = gift(status="past_due")
    failed(row)
    shown = Template("{% load gifts %}<p {% gift_data account %}>").render(Context({"account": accounts.of(row)}))
    assert f'data-gift="{row.public_id}"' in shown
    assert 'data-state="past_due" data-amount="1000" data-currency="EUR" data-frequency="month"' in shown
    assert 'data-next-on="2026-01-20" data-overdue="1000"' in shown
    assert Template("{% load gifts %}<p {% gift_data None %}>").render(Context()) == "<p >"


def test_the_bill_of_a_draft_hour_is_named_besides_the_next_payment() -> None:
    row = gift()
    row.unpaid_invoices.create(stripe_invoice_id="in_due", amount=700, currency="EUR", due_at=clock.now())
    found = accounts.of(row)
    assert (found.due_amount, found.due_on, found.next_on) == (700, clock.today(), date(2026, 1, 20))
    shown = Template("{% load gifts %}<p {% gift_data account %}>").render(Context({"account": found}))
    assert f'data-due="700" data-due-on="{clock.today().isoformat()}"' in shown


def test_a_stop_at_once_that_stripe_accepted_has_ended_it() -> None:
    row = gift()
    ask(row, "stop", {}, at_once=True)
    assert accounts.of(row).state == "ended"


def test_a_pause_of_stripe_s_own_takes_nothing() -> None:
    found = accounts.of(gift(status="paused"))
    assert (found.state, found.next_on, found.resumes_on) == ("paused", None, None)


def test_a_gift_whose_payments_stripe_has_given_up_takes_nothing_by_itself() -> None:
    row = gift(status="unpaid")
    failed(row)
    found = accounts.of(row)
    assert (found.state, found.next_on, found.overdue_amount) == ("past_due", None, 1000)


def test_a_pause_that_outlasts_the_gift_has_no_next_payment() -> None:
    row = gift(
        collection_paused=True,
        resumes_at=datetime(2026, 4, 1, tzinfo=UTC),
        cancel_at=datetime(2026, 3, 10, tzinfo=UTC),
    )
    found = accounts.of(row)
    assert (found.state, found.next_on, found.ends_on) == ("paused", None, date(2026, 3, 10))


@pytest.mark.parametrize(
    ("code", "is_tried"), [("insufficient_funds", True), ("stolen_card", False), ("expired_card", False)]
)
def test_no_try_is_named_that_stripe_will_not_make(code: str, is_tried: bool) -> None:
    row = gift(status="past_due")
    failed(row, failure_code=code, next_attempt_at=APRIL)
    assert accounts.of(row).next_try_on == (date(2026, 4, 20) if is_tried else None)

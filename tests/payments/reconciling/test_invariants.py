"""Each invariant of the ledger is broken once, and the row that breaks it is named."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from members import clock
from members.models import Membership
from payments import cases
from payments.models import Payment
from payments.reconciling import invariants
from tests import factories

pytestmark = pytest.mark.django_db


def patron() -> Payment:
    """Make a patron who has paid through ten days from now; return the payment."""
    who, today = factories.supporter(), clock.today()
    belongs = factories.membership(who, paid_through=today + timedelta(days=10))
    agreed = factories.subscription(who, membership=belongs)
    paid = factories.payment(
        who, subscription=agreed, frequency="month", paid_through=belongs.paid_through, stripe_invoice_id="in_test1"
    )
    factories.ledger_lines(paid)
    return paid


def test_books_that_hold() -> None:
    patron()
    assert invariants.broken() == []


@pytest.mark.parametrize("trigger", ["ledger_row_unchanged", "ledger_not_emptied"])
def test_a_ledger_that_could_be_changed(trigger: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE payments_ledgerentry DISABLE TRIGGER {trigger}")
    assert invariants.broken() == [f"the database refuses every change of the ledger: trigger {trigger}"]


@pytest.mark.parametrize("change", ["ended", "lapsed", "none"])
def test_somebody_who_has_paid_and_does_not_belong(change: str) -> None:
    paid, today = patron(), clock.today()
    if change == "ended":
        Membership.objects.update(ended_on=today)
    elif change == "lapsed":
        long_ago = today - timedelta(days=60)
        Membership.objects.update(starts_on=long_ago, paid_through=long_ago, grace_through=long_ago)
    else:
        paid.subscription.membership = None
        paid.subscription.save()
    invariant = "a payment that covers today has a membership that covers today"
    assert f"{invariant}: payment {paid.pk}" in invariants.broken()
    Payment.objects.update(refunded_amount=paid.amount)
    assert not any(line.startswith(invariant) for line in invariants.broken())


@pytest.mark.parametrize("days", ["kept", "gone", "other"])
def test_days_of_money_that_went_back_may_stay_or_go(days: str) -> None:
    paid = patron()
    factories.refund(paid, paid.amount)
    row = Membership.objects.get()
    through = {"kept": row.paid_through, "gone": row.starts_on, "other": row.paid_through - timedelta(days=1)}[days]
    Membership.objects.update(paid_through=through)
    invariant = "a membership is paid through a day that its subscription's payments paid for"
    assert any(line.startswith(invariant) for line in invariants.broken()) == (days == "other")
    Payment.objects.update(refunded_amount=0)
    assert any(line.startswith(invariant) for line in invariants.broken()) == (days != "kept")


def test_somebody_who_belongs_and_has_not_paid() -> None:
    paid = patron()
    Payment.objects.update(paid_through=clock.today() - timedelta(days=91))
    Membership.objects.update(starts_on=clock.today() - timedelta(days=200))
    membership = paid.subscription.membership_id
    invariant = "a subscription's membership that covers today was paid through today, or within grace"
    assert f"{invariant}: membership {membership}" in invariants.broken()


@pytest.mark.parametrize("days", [0, 1])
def test_a_payment_pays_at_least_for_the_day_on_which_it_came(days: int) -> None:
    """Its month may be over when its invoice is paid late. The day is that of the newsroom's time zone, not of UTC."""
    paid, today = patron(), clock.today()
    came = datetime.combine(today - timedelta(days=5), time(0, 30), timezone.get_default_timezone())
    long_ago, day = today - timedelta(days=200), came.date() - timedelta(days=days)
    Payment.objects.update(paid_at=came, paid_through=today - timedelta(days=150))
    Membership.objects.update(starts_on=long_ago, paid_through=day, grace_through=day + timedelta(days=14))
    invariant = "a membership is paid through a day that its subscription's payments paid for"
    named = [f"{invariant}: membership {paid.subscription.membership_id}"]
    assert invariants.broken() == (named if days else [])


def test_what_was_paid_from_credit_is_time_that_was_paid_for() -> None:
    paid, today = patron(), clock.today()
    Payment.objects.update(paid_through=today - timedelta(days=100), paid_at=clock.now() - timedelta(days=130))
    Membership.objects.update(starts_on=today - timedelta(days=200))
    credited, membership = paid.subscription, Membership.objects.get()
    for day, is_whole in ((membership.paid_through, True), (membership.paid_through + timedelta(days=1), False)):
        credited.credited_through = day
        credited.save()
        assert (invariants.broken() == []) == is_whole
    credited.credited_through = today - timedelta(days=91)
    credited.save()
    assert len(invariants.broken()) == 2, "not paid for, and belongs"


def test_what_was_taken_back_twice_without_a_case() -> None:
    paid = patron()
    factories.refund(paid, paid.amount)
    factories.dispute(paid)
    invariant = "a payment of which more was taken back than given has a case"
    assert f"{invariant}: payment {paid.pk}" in invariants.broken()
    cases.open_case("taken_twice", f"payment:{paid.pk}:taken_twice", paid.supporter)
    assert not any(line.startswith(invariant) for line in invariants.broken())

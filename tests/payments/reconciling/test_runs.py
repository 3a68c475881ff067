"""Runs of the comparison: differences seen again, gone, noted and taken; an incomplete run is no agreement."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from members import clock
from payments.books import settlements
from payments.errors import AlreadyClosed, NotYet, StripeUnavailable
from payments.models import (
    Difference,
    LedgerEntry,
    Payment,
    Reconciliation,
    Subscription,
)
from payments.reconciling import comparison, differences, missed_events, runs
from payments.reconciling.runs import Trouble
from payments.stripe_api.event_types import HANDLED
from tests import factories
from tests.payments.reconciling.setting import alter, balance_line, compare
from tests.stage import Stage


class TestRuns:
    def test_again_and_again(self, stage: Stage) -> None:
        """A difference is opened once, seen again, and closed when it is gone."""
        stage.join("once")
        line = balance_line(stage)
        alter(stage, line["id"], fee=line["fee"] + 1)
        compare(stage)
        first = Difference.objects.get()
        compare(stage)
        again = Difference.objects.get()
        assert (again.pk, again.found_at) == (first.pk, first.found_at)
        assert again.seen_at > first.seen_at
        alter(stage, line["id"], fee=line["fee"])
        assert compare(stage).found == 0
        assert Difference.objects.get().state == "gone"
        assert runs.step().differences == 0

    def test_what_is_open_is_looked_at_however_old(self, stage: Stage) -> None:
        stage.join("once")
        line = balance_line(stage)
        alter(stage, line["id"], fee=line["fee"] + 1)
        compare(stage)
        for _ in range(3):
            clock.move(timedelta(days=10))
            stage.stripe.advance(days=10)
            assert compare(stage).found == 1
        alter(stage, line["id"], fee=line["fee"])
        assert compare(stage).found == 0
        assert Difference.objects.get().state == "gone"

    def test_a_note_ends_it_until_a_value_changes(self, stage: Stage) -> None:
        stage.join("once")
        line = balance_line(stage)
        alter(stage, line["id"], fee=line["fee"] + 1)
        compare(stage)
        marta = factories.staff()
        differences.note(Difference.objects.get(), marta, " Stripe took a cent back. ")
        row = Difference.objects.get()
        assert (row.state, row.note, row.settled_by) == ("noted", "Stripe took a cent back.", marta)
        with pytest.raises(AlreadyClosed):
            differences.note(row, marta, "Again.")
        assert compare(stage).found == 0
        assert runs.step().differences == 0
        alter(stage, line["id"], fee=line["fee"] + 2)
        assert compare(stage).found == 1
        assert set(Difference.objects.values_list("state", "note")) == {("gone", row.note), ("open", "")}

    def test_what_was_noted_and_went_away_is_shown_when_it_comes_again(self, stage: Stage) -> None:
        stage.join("month")
        gift = Subscription.objects.get().stripe_subscription_id
        alter(stage, gift, cancel_at_period_end=True)
        compare(stage)
        differences.note(Difference.objects.get(), factories.staff(), "A test at Stripe, taken back in a minute.")
        noted = Difference.objects.get()
        assert compare(stage).found == 0
        assert Difference.objects.get().state == "noted", "still there, and still known"
        alter(stage, gift, cancel_at_period_end=False)
        assert compare(stage).found == 0
        was = Difference.objects.get()
        assert (was.state, was.note, was.settled_by, was.settled_at) == (
            "gone",
            noted.note,
            noted.settled_by,
            noted.settled_at,
        )
        stage.sleep(3)
        alter(stage, gift, cancel_at_period_end=True)
        assert compare(stage).found == 1
        assert Difference.objects.get(state="open").field == "cancel_at_period_end"

    def test_what_was_noted_is_known_however_long_it_lasts(self, stage: Stage) -> None:
        """The end of the paid time moves on; the noted difference is still checked."""
        stage.join("month")
        gift = Subscription.objects.get().stripe_subscription_id
        alter(stage, gift, cancel_at=int(clock.now().timestamp()) + 10**8)
        compare(stage)
        differences.note(Difference.objects.get(), factories.staff(), "Agreed by telephone.")
        stage.sleep(70)
        Subscription.objects.update(cancel_at=None)  # its renewals had brought it
        assert compare(stage).found == 0
        assert Difference.objects.get(note="Agreed by telephone.").state == "noted"
        alter(stage, gift, cancel_at=None)
        compare(stage)
        assert Difference.objects.get(note="Agreed by telephone.").state == "gone"

    def test_what_was_noted_and_not_looked_at_stays_noted(self, stage: Stage) -> None:
        stage.join("once")
        line = balance_line(stage)
        alter(stage, line["id"], fee=line["fee"] + 1)
        compare(stage)
        differences.note(Difference.objects.get(), factories.staff(), "Stripe took a cent back.")
        stage.sleep(10)
        compare(stage)
        assert Difference.objects.get().state == "noted"
        assert comparison.run(clock.now() - timedelta(days=20)).found == 0
        assert Difference.objects.get().state == "noted", "seen again with the same values"

    @pytest.mark.parametrize("fault", ["500", "429", "drop"])
    @pytest.mark.parametrize("path", ["/v1/charges", "/v1/balance_transactions"])
    def test_stripe_gives_up_half_way(self, stage: Stage, fault: str, path: str) -> None:
        stage.join("once")
        line = balance_line(stage)
        alter(stage, line["id"], fee=line["fee"] + 1)
        whole = compare(stage)
        stage.stripe.fail(fault, times=10, path=path)
        alter(stage, line["id"], fee=line["fee"])
        run = compare(stage)
        assert run.error.startswith(("StripeUnavailable", "TooManyRequests"))
        assert runs.last_complete(Reconciliation.Kind.OBJECTS) == whole
        assert Difference.objects.get().state == "open", "half a run calls nothing gone"
        assert runs.step().agreed_at is None
        stage.stripe.clear_faults()
        assert compare(stage).found == 0
        assert runs.step().agreed_at is not None

    def test_events_half_listed_do_not_move_the_mark(self, stage: Stage) -> None:
        first = missed_events.collect()
        stage.pay(stage.give("once"))
        stage.stripe.fail("429", times=10, path="/v1/events")
        stopped = missed_events.collect()
        assert stopped.error.startswith("TooManyRequests")
        assert Trouble.NOT_LISTED not in runs.step().troubles, "the first run still is young enough"
        stage.stripe.clear_faults()
        clock.move(timedelta(hours=5))
        run = missed_events.collect()
        assert run.since == first.until - timedelta(hours=1)
        assert run.found > 2

    def test_at_most_twenty_types_a_call(self, stage: Stage) -> None:
        missed_events.collect()
        lists = [each.params["types"] for each in stage.stripe.requests if each.path == "/v1/events"]
        assert max(len(types) for types in lists) <= 20
        assert sorted(type for types in lists for type in types.values()) == sorted(HANDLED)

    def test_one_at_a_time(self, stage: Stage) -> None:
        parameters = connection.get_connection_params()
        wanted = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if parameters.get(key)}
        with psycopg.connect(**wanted, autocommit=True) as other:
            other.execute("SELECT pg_advisory_lock(hashtextextended('reconciliation:objects', 0))")
            assert comparison.run() is None
            assert missed_events.collect() is not None
            with pytest.raises(CommandError, match="under way"):
                call_command("reconcile", stdout=StringIO())
            other.execute("SELECT pg_advisory_unlock_all()")
        assert comparison.run() is not None

    def test_due_once_a_night_until_it_succeeds(self, db: None) -> None:
        assert comparison.is_due()
        now = timezone.now()
        row = Reconciliation.objects.create(
            kind="objects", since=now, until=now, started_at=now - timedelta(hours=25), finished_at=now
        )
        assert comparison.is_due()
        Reconciliation.objects.filter(pk=row.pk).update(started_at=now)
        assert not comparison.is_due()
        Reconciliation.objects.filter(pk=row.pk).update(error="StripeUnavailable: ")
        assert comparison.is_due()


class TestTaking:
    def test_stripe_does_not_answer(self, stage: Stage) -> None:
        stage.pay(stage.give("once"))
        compare(stage)
        row = Difference.objects.get(kind="payment")
        stage.stripe.fail("500", times=10)
        with pytest.raises(StripeUnavailable):
            differences.take(row, factories.staff())
        row.refresh_from_db()
        assert row.state == "open"

    def test_a_line_of_the_balance_before_its_payment(self, stage: Stage) -> None:
        """Accepting the line alone records the payment; the line follows with the next settlement."""
        stage.pay(stage.give("once"))
        compare(stage)
        differences.take(Difference.objects.get(kind="balance_transaction"), factories.staff())
        stage.work()
        assert Payment.objects.get().status == "succeeded"
        assert compare(stage).found == 0
        assert sorted(Difference.objects.values_list("state", flat=True)) == ["gone", "taken"]

    def test_a_line_that_settles_nothing_of_ours(self, stage: Stage) -> None:
        """Stripe's second line for the same charge: nothing to add, so a person notes it."""
        stage.join("once")
        twin = {**balance_line(stage), "id": "txn_twin"}
        with stage.stripe.world.transaction():
            stage.stripe.world.add(twin)
        compare(stage)
        row = Difference.objects.get()
        assert (row.stripe_id, row.field) == ("txn_twin", "missing")
        with pytest.raises(NotYet):
            differences.take(row, factories.staff())
        assert LedgerEntry.objects.filter(kind="settlement").count() == 1

    def test_what_was_taken_and_still_differs_is_open_again(self, stage: Stage) -> None:
        stage.join("once")
        settlements.collect()
        refund = stage.stripe.refund(Payment.objects.get().stripe_payment_intent_id, 300)
        stage.settle_down()
        alter(stage, refund["id"], status="pending")
        compare(stage)
        differences.take(Difference.objects.get(), factories.staff())
        compare(stage)  # the drain did not work in between
        assert sorted(Difference.objects.values_list("state", flat=True)) == ["open", "taken"]

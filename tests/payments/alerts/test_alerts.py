"""Every alert fires when it should and not before, and has its section in docs/operations.md."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now as real_now

from members import clock
from payments import cases, heartbeats
from payments.alerts.rules import BY_NAME, MONEY_CASES
from payments.inbox import queue
from payments.models import Difference, Dispute, Heartbeat, LedgerEntry, Reconciliation, RefundRequest
from payments.stripe_api.client import API_VERSION
from tests import factories

pytestmark = pytest.mark.django_db

OPERATIONS = Path(__file__).resolve().parents[3] / "docs" / "operations.md"


def ago(**span: float) -> datetime:
    return real_now() - timedelta(**span)


def sees(name: str) -> dict[str, Any] | None:
    """Return the facts that a rule finds now, as an alert would state them; None if it does not fire."""
    facts = BY_NAME[name].look()
    if facts is not None:
        assert str(BY_NAME[name].words) % facts
    return facts


def waiting(state: str = "pending", **values: Any) -> None:
    values = {"received_at": ago(minutes=4), "api_version": API_VERSION, **values}
    factories.event(state, next_try_at=values.pop("next_try_at", ago(minutes=1)), **values)


class TestEvents:
    def test_waiting(self) -> None:
        waiting("pending", received_at=ago(minutes=4))
        waiting("parked", received_at=ago(hours=9), next_try_at=real_now() + timedelta(hours=1))
        waiting("processed", received_at=ago(hours=9))
        waiting("pending", received_at=ago(hours=9))  # queued again by staff a minute ago
        waiting("pending", received_at=ago(hours=9), attempts=1, lease_until=real_now() + timedelta(seconds=9))
        assert sees("events-waiting") is None
        waiting("pending", received_at=ago(minutes=7), next_try_at=ago(minutes=7))
        waiting("pending", received_at=ago(minutes=9), attempts=3, next_try_at=real_now() + timedelta(hours=1))
        assert sees("events-waiting") == {"count": 2, "minutes": 9}

    def test_parked_and_its_time_is_over(self) -> None:
        waiting("parked", received_at=ago(minutes=30), next_try_at=ago(minutes=6))
        assert sees("events-waiting") == {"count": 1, "minutes": 30}

    def test_parked_for_long_though_its_next_try_is_to_come(self) -> None:
        later = real_now() + timedelta(hours=5)
        waiting("parked", received_at=ago(minutes=59), next_try_at=later, error="waits for: payment of re_1")
        waiting("parked", received_at=ago(days=3), next_try_at=later, error=f"{queue.LOST}a-public-id")
        waiting("pending", received_at=ago(days=3), next_try_at=later)
        assert sees("events-parked") is None
        waiting("parked", received_at=ago(days=3), next_try_at=later, error="waits for: payment of re_1")
        assert sees("events-parked") == {"count": 1, "minutes": 3 * 24 * 60}
        assert "/stripeevent/?state=parked" in BY_NAME["events-parked"].desk

    def test_dead(self) -> None:
        waiting("failed", attempts=9, failures=2)
        assert sees("events-dead") is None
        waiting("failed", attempts=3, failures=3)
        waiting("dead", attempts=8, failures=8)
        assert sees("events-dead") == {"count": 2, "minutes": 4}

    def test_foreign_by_mode_or_account_and_not_what_others_made(self) -> None:
        waiting("foreign", error="not made by this software", processed_at=real_now())
        waiting("foreign", received_at=ago(hours=25))
        assert sees("events-foreign") is None
        waiting("foreign")
        assert sees("events-foreign") == {"count": 1, "minutes": 4}

    def test_of_another_version(self) -> None:
        waiting("processed")
        waiting("processed", api_version="", is_sync=True)
        assert sees("events-version") is None
        waiting("processed", api_version="2025-03-31.basil")
        assert sees("events-version") == {"count": 1, "minutes": 4}

    def test_signatures_that_are_refused_while_none_fits(self) -> None:
        assert sees("signatures-refused") is None
        Heartbeat.objects.create(name=heartbeats.REFUSED, beaten_at=ago(minutes=5))
        waiting("processed", received_at=ago(minutes=9))
        waiting("processed", received_at=ago(minutes=1), is_listed=True)
        assert sees("signatures-refused") == {"minutes": 5}
        Heartbeat.objects.update(beaten_at=ago(hours=3))
        assert sees("signatures-refused") is None
        Heartbeat.objects.update(beaten_at=ago(minutes=5))
        waiting("processed", received_at=ago(minutes=2))
        assert sees("signatures-refused") is None, "the secret fits: somebody else knocked"

    def test_silence_is_measured_by_the_renewals_that_should_have_come(self, settings) -> None:
        waiting("processed", received_at=ago(days=3))
        waiting("processed", received_at=ago(hours=1), is_sync=True)
        waiting("processed", received_at=ago(hours=1), is_listed=True)
        for _ in range(40):
            factories.subscription()
        assert sees("no-events") is None, "four renewals would be usual in three days"
        for _ in range(20):
            factories.subscription()
        assert sees("no-events") == {"hours": 72}
        settings.ALERT_NO_EVENTS_HOURS = 73
        assert sees("no-events") is None
        settings.ALERT_NO_EVENTS_HOURS = 0
        assert sees("no-events") is None

    def test_no_silence_before_the_first_event(self) -> None:
        for _ in range(60):
            factories.subscription()
        assert sees("no-events") is None


class TestPromises:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [("reminders-late", "reminder_late"), ("renewals-missed", "renewal_missed")]
        + [("cases-open", kind.value) for kind in MONEY_CASES],
    )
    def test_cases_until_they_are_settled(self, name: str, kind: str) -> None:
        cases.open_case("dispute", "other")
        assert sees(name) is None
        case = cases.open_case(kind, "mine")
        assert sees(name) == {"count": 1, "minutes": 0}
        cases.close(case, factories.staff(), "looked at")
        assert sees(name) is None

    def test_letters_that_wait(self) -> None:
        factories.message(state="pending", created_at=clock.now() - timedelta(minutes=9))
        factories.message(state="sent", created_at=clock.now() - timedelta(hours=9))
        assert sees("letters-waiting") is None
        factories.message(state="sending", created_at=clock.now() - timedelta(minutes=12))
        assert sees("letters-waiting") == {"count": 1, "minutes": 12}

    def test_letters_that_could_not_be_sent(self) -> None:
        factories.message(state="failed", created_at=clock.now())
        factories.message(state="unknown", created_at=clock.now())
        factories.message(state="failed", created_at=clock.now() - timedelta(hours=25))
        assert sees("letters-failed") is None
        factories.message(state="unknown", created_at=clock.now())
        assert sees("letters-failed") == {"count": 3, "minutes": 0}

    def test_disputes_that_must_be_answered(self) -> None:
        dispute(clock.now() + timedelta(days=4))
        dispute(clock.now() + timedelta(days=1), status="under_review")
        assert sees("disputes-due") is None
        dispute(clock.now() + timedelta(days=2))
        assert sees("disputes-due") == {"count": 1}

    def test_requests_that_stripe_did_not_answer(self) -> None:
        refund_request(clock.now() - timedelta(minutes=9))
        refund_request(clock.now() - timedelta(minutes=90), state="accepted")
        assert sees("requests-unanswered") is None
        refund_request(clock.now() - timedelta(minutes=11))
        assert sees("requests-unanswered") == {"count": 1}


def dispute(respond_by: datetime, status: str = "needs_response") -> None:
    paid = factories.payment()
    Dispute.objects.create(
        payment=paid,
        stripe_dispute_id=f"du_{paid.pk}",
        status=status,
        amount=1000,
        currency="EUR",
        respond_by=respond_by,
        created_at=paid.created_at,
    )


def refund_request(at: datetime, **values: Any) -> None:
    paid = factories.payment()
    RefundRequest.objects.create(payment=paid, amount=100, reason="duplicate", requested_at=at, **values)


class TestBooks:
    def test_open_differences(self) -> None:
        found = Difference.objects.create(kind="payment", stripe_id="pi_1", field="amount", state="taken")
        assert sees("differences-open") is None
        Difference.objects.filter(pk=found.pk).update(state="open")
        assert sees("differences-open") == {"count": 1}

    @pytest.mark.parametrize(
        ("name", "kind", "in_time", "late", "facts"),
        [
            ("not-compared", "objects", timedelta(hours=25), timedelta(hours=27), {"hours": 27, "minutes": 1620}),
            ("not-listed", "events", timedelta(minutes=44), timedelta(minutes=50), {"hours": 1, "minutes": 50}),
        ],
    )
    def test_a_comparison_that_is_too_old(
        self, name: str, kind: str, in_time: timedelta, late: timedelta, facts: dict[str, int]
    ) -> None:
        run = Reconciliation.objects.create(kind=kind, since=ago(days=3), until=ago(days=2))
        failed = {"since": ago(hours=2), "until": ago(hours=1), "finished_at": ago(minutes=1), "error": "x"}
        Reconciliation.objects.create(kind=kind, **failed)
        Reconciliation.objects.filter(pk=run.pk).update(finished_at=real_now() - in_time)
        assert sees(name) is None
        Reconciliation.objects.filter(pk=run.pk).update(finished_at=real_now() - late)
        assert sees(name) == facts

    def test_never_compared_is_late_only_where_there_was_something_to_compare(self) -> None:
        waiting("processed")
        assert sees("not-compared") is None
        waiting("processed", received_at=ago(days=2))
        assert sees("not-compared") == {"hours": "?", "minutes": "?"}

    def test_books_that_do_not_hold(self) -> None:
        paid = factories.payment()
        line = factories.ledger_lines(paid)
        assert sees("books-broken") is None
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            LedgerEntry.objects.filter(settles=line).delete()
            LedgerEntry.objects.filter(pk=line.pk).delete()
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        facts = sees("books-broken")
        assert facts
        assert f"payment {paid.pk}" in facts["first"]


class TestProcesses:
    @pytest.mark.parametrize("name", heartbeats.NAMES)
    def test_silent(self, name: str) -> None:
        for each in heartbeats.NAMES:
            Heartbeat.objects.create(name=each, beaten_at=ago(seconds=170))
        assert sees(f"{name}-silent") is None
        minutes = 31 if name == "bulk" else 4
        Heartbeat.objects.filter(name=name).update(beaten_at=ago(minutes=minutes))
        assert sees(f"{name}-silent") == {"minutes": minutes}
        assert [each for each in heartbeats.NAMES if sees(f"{each}-silent")] == [name]

    def test_redis(self, settings) -> None:
        assert sees("redis-away") is None
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        assert sees("redis-away") == {"error": "ConnectionError"}


def test_the_runbook_has_a_section_for_every_rule() -> None:
    sections = re.findall(r"^#### (\S+)$", OPERATIONS.read_text(), flags=re.MULTILINE)
    assert sorted(sections) == sorted(BY_NAME), "docs/operations.md has one section a rule, called like it."

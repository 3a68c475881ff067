"""Every rule trips when it should and not before; staff are told once, again after six hours, and when it is over."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now as real_now

from members import clock, mail_letters
from members.models import Message
from payments import cases, heartbeats
from payments.alerts import watch
from payments.alerts.rules import BY_NAME, RULES
from payments.models import (
    Alert,
    Difference,
    Dispute,
    Heartbeat,
    LedgerEntry,
    Reconciliation,
    RefundRequest,
    StripeEvent,
)
from payments.stripe_api.client import API_VERSION
from tests import factories

pytestmark = pytest.mark.django_db

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def ago(**span: float) -> datetime:
    return real_now() - timedelta(**span)


def sees(name: str) -> dict[str, Any] | None:
    """What a rule sees now, as it would be told."""
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
        assert sees("events-waiting") is None
        waiting("pending", received_at=ago(minutes=7))
        assert sees("events-waiting") == {"count": 1, "minutes": 7}

    def test_parked_and_its_time_is_over(self) -> None:
        waiting("parked", received_at=ago(minutes=30), next_try_at=ago(minutes=6))
        assert sees("events-waiting") == {"count": 1, "minutes": 30}

    def test_dead(self) -> None:
        waiting("failed", attempts=2)
        assert sees("events-dead") is None
        waiting("failed", attempts=3)
        waiting("dead", attempts=8)
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
        ("name", "kind"), [("reminders-late", "reminder_late"), ("renewals-missed", "renewal_missed")]
    )
    def test_cases_until_they_are_settled(self, name: str, kind: str) -> None:
        cases.open_case("duplicate_payment", "other")
        assert sees(name) is None
        case = cases.open_case(kind, "mine")
        assert sees(name) == {"count": 1, "minutes": 0}
        cases.settle(case, factories.staff(), "looked at")
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
        payment=paid, stripe_dispute_id=f"du_{paid.pk}", status=status, amount=1000, currency="EUR",
        respond_by=respond_by, created_at=paid.created_at,
    )  # fmt: skip


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
        ("name", "kind", "in_time", "late", "told"),
        [
            ("not-compared", "objects", timedelta(hours=25), timedelta(hours=27), {"hours": 27, "minutes": 1620}),
            ("not-listed", "events", timedelta(minutes=44), timedelta(minutes=50), {"hours": 1, "minutes": 50}),
        ],
    )
    def test_a_comparison_that_is_too_old(
        self, name: str, kind: str, in_time: timedelta, late: timedelta, told: dict[str, int]
    ) -> None:
        run = Reconciliation.objects.create(kind=kind, since=ago(days=3), until=ago(days=2))
        failed = {"since": ago(hours=2), "until": ago(hours=1), "finished_at": ago(minutes=1), "error": "x"}
        Reconciliation.objects.create(kind=kind, **failed)
        Reconciliation.objects.filter(pk=run.pk).update(finished_at=real_now() - in_time)
        assert sees(name) is None
        Reconciliation.objects.filter(pk=run.pk).update(finished_at=real_now() - late)
        assert sees(name) == told

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
        Heartbeat.objects.filter(name=name).update(beaten_at=ago(minutes=4))
        assert sees(f"{name}-silent") == {"minutes": 4}
        assert [each for each in heartbeats.NAMES if sees(f"{each}-silent")] == [name]

    def test_redis(self, settings) -> None:
        assert sees("redis-away") is None
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        assert sees("redis-away") == {"error": "ConnectionError"}


# Telling


@pytest.fixture
def well(settings) -> None:
    """All is well, and there is somebody to tell."""
    settings.STAFF_ALERT_EMAILS = ["marta@newsroom.example", "petro@newsroom.example"]
    for each in heartbeats.NAMES:
        Heartbeat.objects.create(name=each, beaten_at=real_now())


def died() -> StripeEvent:
    return factories.event("dead", received_at=real_now(), api_version=API_VERSION)


@pytest.fixture
def dead_event(well: None) -> Callable[[], None]:
    """An event that died; call it to have it worked."""
    event = died()

    def mend() -> None:
        event.state = "processed"
        event.save()

    return mend


def told() -> int:
    return Message.objects.filter(kind="staff_alert").count()


def later(**span: float) -> None:
    """As if this time had passed since whatever is written down."""
    for alert in Alert.objects.all():
        for name in ("since", "told_at", "ended_at"):
            if moment := getattr(alert, name):
                setattr(alert, name, moment - timedelta(**span))
        alert.save()


def test_when_all_is_well_nothing_is_written(well: None, caplog) -> None:
    assert watch.judge() == []
    assert (Alert.objects.count(), told()) == (0, 0)
    assert caplog.records == []


def test_staff_are_told_once_and_again_after_six_hours(dead_event: Callable[[], None], caplog) -> None:
    for _ in range(3):
        assert watch.judge() == ["events-dead"]
    assert told() == 2
    [line] = [record for record in caplog.records if record.name == "hromada.alerts"]
    assert (line.levelname, line.getMessage()) == ("ERROR", "alert events-dead: count=1 minutes=0")
    later(hours=5, minutes=59)
    watch.judge()
    assert told() == 2
    later(minutes=2)
    watch.judge()
    assert told() == 4
    assert [message.context["is_again"] for message in Message.objects.order_by("pk")] == [False, False, True, True]


def test_its_end_is_said_and_a_new_beginning_is_told_anew(dead_event: Callable[[], None], caplog) -> None:
    watch.judge()
    dead_event()
    later(hours=1)
    caplog.clear()
    assert watch.judge() == []
    assert [record.getMessage() for record in caplog.records] == ["alert events-dead is over after 60 minutes"]
    assert watch.firing_now() == set()
    died()
    watch.judge()
    assert told() == 4
    assert watch.firing_now() == {"events-dead"}


def test_one_that_comes_and_goes_is_not_told_each_time(well: None) -> None:
    for _ in range(4):
        event = died()
        watch.judge()
        event.delete()
        watch.judge()
        later(minutes=2)
    assert told() == 2
    died()
    watch.judge()
    later(minutes=31)
    watch.judge()
    assert told() == 4
    assert not Message.objects.latest("pk").context["is_again"], "of this time nobody was told yet"


def test_mild_ones_are_logged_and_mailed_to_nobody(well: None, settings, caplog) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert watch.judge() == ["redis-away"]
    assert told() == 0
    [line] = [record for record in caplog.records if record.name == "hromada.alerts"]
    assert (line.levelname, line.getMessage()) == ("WARNING", "alert redis-away: error=ConnectionError")


def test_with_nobody_to_tell_there_is_the_log(dead_event: Callable[[], None], settings, caplog) -> None:
    settings.STAFF_ALERT_EMAILS = []
    watch.judge()
    assert told() == 0
    assert "alert events-dead" in caplog.text


def test_the_letter_says_what_it_is_and_what_to_do(dead_event: Callable[[], None]) -> None:
    watch.judge()
    first, second = Message.objects.order_by("pk")
    assert (first.to_email, second.to_email) == ("marta@newsroom.example", "petro@newsroom.example")
    assert first.supporter is None
    letter = mail_letters.render(first)
    assert letter.subject.endswith(": Events of Stripe’s cannot be worked")
    for body in (letter.text, letter.html):
        assert "failed several times: 1" in " ".join(body.split())
        assert "What to do" in body
        assert "/admin/payments/stripeevent/?state=stuck" in body
        assert "events-dead" in body


def test_every_letter_can_be_written(well: None) -> None:
    """With made-up facts, in both languages' templates."""
    anything = {"count": 3, "minutes": 7, "hours": 9, "error": "X", "first": "a sentence: payment 1"}
    for rule in RULES:
        watch.report(rule.name, anything)
    graves = [rule for rule in RULES if rule.is_grave]
    assert told() == 2 * len(graves)
    for message in Message.objects.filter(kind="staff_alert"):
        letter = mail_letters.render(message)
        assert "%(" not in letter.text
        assert len(letter.subject) < 100


def test_one_rule_that_breaks_does_not_blind_the_others(well: None, caplog) -> None:
    died()
    broken = BY_NAME["events-waiting"].__class__(**{**vars(BY_NAME["events-waiting"]), "look": lambda: 1 / 0})
    seen = dict(watch.look([broken, BY_NAME["events-dead"]]))
    assert seen == {BY_NAME["events-dead"]: {"count": 1, "minutes": 0}}
    assert "alert events-waiting not looked at: ZeroDivisionError" in caplog.text


def test_two_watchers_tell_once(well: None) -> None:
    """The second finds the row as the first left it."""
    died()
    watch.judge()
    alert = Alert.objects.get()
    watch.report("events-dead", {"count": 1, "minutes": 0})
    assert Alert.objects.get().told_at == alert.told_at
    assert told() == 2


def test_the_runbook_has_a_section_for_every_rule() -> None:
    sections = re.findall(r"^#### (\S+)$", OPERATIONS.read_text(), flags=re.MULTILINE)
    assert sorted(sections) == sorted(BY_NAME), "docs/operations.md has one section a rule, called like it."

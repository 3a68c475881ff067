"""Staff are emailed when a rule fires, again every six hours, and when it is over; the email says what to do."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils.timezone import now as real_now

from members.mail import rendering
from members.models import Message
from payments import heartbeats
from payments.alerts import letters as alert_letters
from payments.alerts import watch
from payments.alerts.rules import BY_NAME, RULES
from payments.management.commands.drain import _Drain
from payments.models import Alert, Heartbeat, StripeEvent
from payments.stripe_api.client import API_VERSION
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def well(settings) -> None:
    """Make everything healthy, and name two addresses for alerts."""
    settings.STAFF_ALERT_EMAILS = ["marta@newsroom.example", "petro@newsroom.example"]
    for each in heartbeats.NAMES:
        Heartbeat.objects.create(name=each, beaten_at=real_now())


def died() -> StripeEvent:
    return factories.event("dead", received_at=real_now(), api_version=API_VERSION)


@pytest.fixture
def dead_event(well: None) -> Callable[[], None]:
    """Create an event that was given up; call the fixture to have it processed."""
    event = died()

    def process() -> None:
        event.state = "processed"
        event.save()

    return process


def alert_emails() -> int:
    return Message.objects.filter(kind="staff_alert").count()


def later(**span: float) -> None:
    """Move every stored time of the alerts back, as if this time had passed since then."""
    for alert in Alert.objects.all():
        for name in ("since", "told_at", "ended_at"):
            if moment := getattr(alert, name):
                setattr(alert, name, moment - timedelta(**span))
        alert.save()


def test_when_all_is_well_nothing_is_written(well: None, caplog) -> None:
    assert watch.judge() == []
    assert (Alert.objects.count(), alert_emails()) == (0, 0)
    assert caplog.records == []


def test_staff_are_told_once_and_again_after_six_hours(dead_event: Callable[[], None], caplog) -> None:
    for _ in range(3):
        assert watch.judge() == ["events-dead"]
    assert alert_emails() == 2
    [line] = [record for record in caplog.records if record.name == "hromada.alerts"]
    assert (line.levelname, line.getMessage()) == ("ERROR", "alert events-dead: count=1 minutes=0")
    later(hours=5, minutes=59)
    watch.judge()
    assert alert_emails() == 2
    later(minutes=2)
    watch.judge()
    assert alert_emails() == 4
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
    assert alert_emails() == 4
    assert watch.firing_now() == {"events-dead"}


def test_one_that_comes_and_goes_is_not_told_each_time(well: None) -> None:
    for _ in range(4):
        event = died()
        watch.judge()
        event.delete()
        watch.judge()
        later(minutes=2)
    assert alert_emails() == 2
    died()
    watch.judge()
    later(minutes=31)
    watch.judge()
    assert alert_emails() == 4
    assert not Message.objects.latest("pk").context["is_again"], "nobody was emailed about this time before"


def test_mild_ones_are_logged_and_mailed_to_nobody(well: None, settings, caplog) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert watch.judge() == ["redis-away"]
    assert alert_emails() == 0
    [line] = [record for record in caplog.records if record.name == "hromada.alerts"]
    assert (line.levelname, line.getMessage()) == ("WARNING", "alert redis-away: error=ConnectionError")


def test_with_nobody_to_tell_there_is_the_log(dead_event: Callable[[], None], settings, caplog) -> None:
    settings.STAFF_ALERT_EMAILS = []
    watch.judge()
    assert alert_emails() == 0
    assert "alert events-dead" in caplog.text


def test_the_letter_says_what_it_is_and_what_to_do(dead_event: Callable[[], None]) -> None:
    watch.judge()
    first, second = Message.objects.order_by("pk")
    assert (first.to_email, second.to_email) == ("marta@newsroom.example", "petro@newsroom.example")
    assert first.supporter is None
    letter = rendering.render(first)
    assert letter.subject.endswith(": Events of Stripe’s cannot be worked")
    for body in (letter.text, letter.html):
        assert "failed several times: 1" in " ".join(body.split())
        assert "What to do" in body
        assert "/admin/payments/stripeevent/?state=stuck" in body
        assert "events-dead" in body


def test_every_letter_can_be_written(well: None) -> None:
    """Render the email of every rule with invented facts, in both languages."""
    anything = {
        "count": 3,
        "total": 40,
        "declines": 31,
        "begun": 301,
        "sums": "€35",
        "minutes": 7,
        "hours": 9,
        "error": "X",
        "reason": "status 401",
        "first": "a sentence: payment 1",
    }
    for rule in RULES:
        watch.report(rule.name, anything)
    graves = [rule for rule in RULES if rule.is_grave]
    assert alert_emails() == 2 * len(graves)
    for message in Message.objects.filter(kind="staff_alert"):
        letter = rendering.render(message)
        assert "%(" not in letter.text


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_subject_is_short_enough_for_a_phone(well: None, settings, language: str) -> None:
    settings.SITE_NAME = "The Dnipro Courier"
    anything = {
        "count": 3,
        "total": 40,
        "declines": 31,
        "begun": 301,
        "sums": "€35",
        "minutes": 7,
        "hours": 9,
        "error": "X",
        "reason": "status 401",
        "first": "a sentence: payment 1",
    }
    alert = Alert(since=real_now(), told_at=real_now(), facts=anything)
    for rule in RULES:
        letter = rendering.render(alert_letters.draft(rule, alert, "marta@newsroom.example", language=language))
        assert len(letter.subject) <= 55, letter.subject


def test_one_rule_that_breaks_does_not_blind_the_others(well: None, caplog) -> None:
    died()
    broken = BY_NAME["events-waiting"].__class__(**{**vars(BY_NAME["events-waiting"]), "look": lambda: 1 / 0})
    seen = dict(watch.look([broken, BY_NAME["events-dead"]]))
    assert seen == {BY_NAME["events-dead"]: {"count": 1, "minutes": 0}}
    assert "alert events-waiting not checked: ZeroDivisionError" in caplog.text


def test_two_watchers_tell_once(well: None) -> None:
    """The second watcher finds the row as the first one left it."""
    died()
    watch.judge()
    alert = Alert.objects.get()
    watch.report("events-dead", {"count": 1, "minutes": 0})
    assert Alert.objects.get().told_at == alert.told_at
    assert alert_emails() == 2


def test_the_drain_alarms_when_beat_and_the_workers_are_gone(well: None) -> None:
    """Not immediately: when all processes start together, beat and the workers have not reported yet."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        drain = _Drain()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    Heartbeat.objects.exclude(name="drain").update(beaten_at=real_now() - timedelta(minutes=9))
    drain._watch_now_and_then()
    assert watch.firing_now() == set()
    drain.next_watching = 0
    drain._watch_now_and_then()
    assert watch.firing_now() == {"worker-silent", "beat-silent"}
    assert alert_emails() == 4

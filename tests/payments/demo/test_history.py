"""Living through the demo data: every day that matters, none that does not, and nothing that looks wrong at its end."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from members import clock
from members.models import Message
from payments.alerts import watch
from payments.demo import history, people
from payments.demo.stories import STORIES, read
from payments.inbox import queue as inbox
from payments.management.commands import stripe_simulator
from payments.models import Alert, Case, Checkout, Difference, Payment, Refund, StripeEvent, Subscription
from payments.reconciling import invariants
from stripe_simulator import KEY_PREFIX, Simulator, serve

FEW = read("""
95 | Anna Lindqvist | en | month | 10 EUR |
80 | Марко Шевчук   | uk | once  | 50 EUR | partly refunded
55 | Андрій Гончар  | uk | month | 10 EUR | card fails
40 | Fiona Byrne    | en | month |  5 EUR | twice
 9 | Marie Dubois   | en | once  | 20 EUR | sepa
""")
ALONE = read("300 | Anna Lindqvist | en | year | 60 EUR |")


@pytest.fixture
def stripe(settings, db: None) -> Iterator[Simulator]:
    """The simulator as `make run` starts it. Nobody listens at the website's address."""
    settings.DEBUG = True
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = KEY_PREFIX + "_demo", ["whsec_demo"]
    settings.SITE_URL, settings.EMAIL_BACKEND = "http://127.0.0.1:1", "members.mail.files.EmailBackend"
    with serve(stripe_simulator.simulator_for({"store": None, "webhook_url": None})) as running:
        settings.STRIPE_API_BASE = running.url
        yield running.simulator


def live(*, interrupted_on: int | None = None) -> tuple[list[str], int]:
    """The few stories; with `interrupted_on`, killed when so many lines were told. The lines, and the days lived."""
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        if len(lines) == interrupted_on:
            raise KeyboardInterrupt

    return lines, history.make(tell, FEW)


def test_a_few_lives(stripe: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """One history, looked at from every side: living it is what takes time."""
    monkeypatch.setattr(history, "TELL_EVERY_SECONDS", 0.0)
    with caplog.at_level(logging.WARNING):
        lines, lived = live()
    it_told_how_far_it_is(lines, lived)
    it_passed_over_days_without_events(lived)
    all_is_in_step_and_nothing_is_owed(stripe)
    every_letter_is_dated_by_the_day_that_owed_it()
    assert caplog.messages == []
    its_own_cases_are_no_alarm_on_the_first_day(caplog)


def it_told_how_far_it_is(lines: list[str], lived: int) -> None:
    assert lines.pop() == history.ARRIVED
    assert len(lines) == lived + 1
    assert all(re.fullmatch(r"Demo data: \d of 5 supporters, [A-Z][a-z]+", line) for line in lines)
    numbers = [int(line.split()[2]) for line in lines]
    assert numbers == sorted(numbers)
    assert (numbers[0], numbers[-1]) == (1, 5)


def it_passed_over_days_without_events(lived: int) -> None:
    """A month of a monthly gift is a day or two, not thirty."""
    days_with_events = {event.created_at.date() for event in StripeEvent.objects.all()}
    assert lived <= len(days_with_events) + 2
    assert lived < 30  # of 95


def all_is_in_step_and_nothing_is_owed(stripe: Simulator) -> None:
    assert not clock.offset()
    assert abs(stripe.now() - clock.now().timestamp()) < 5
    assert invariants.broken() == []
    assert not Difference.objects.exists()
    assert not StripeEvent.objects.exclude(state__in=("processed", "ignored")).exists()
    assert stripe.outbox() == []
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    assert Payment.objects.filter(status="succeeded").count() == 4 + 1 + 1 + 4 + 1
    assert (Subscription.objects.count(), Refund.objects.count()) == (4, 1)


def every_letter_is_dated_by_the_day_that_owed_it() -> None:
    for letter in Message.objects.all():
        assert letter.sent_at is not None
        assert (letter.sent_at - letter.created_at).total_seconds() < 3_600, letter.kind
    failing = Message.objects.filter(kind__startswith="payment_failed").order_by("created_at")
    days = [clock.day_of(letter.created_at) for letter in failing]
    assert [(day - days[0]).days for day in days] == [0, 3, 7, 14]
    assert [letter.kind for letter in failing] == [f"payment_failed_{step}" for step in (1, 2, 3, 4)]


def its_own_cases_are_no_alarm_on_the_first_day(caplog: pytest.LogCaptureFixture) -> None:
    """They were opened weeks ago: the alert is there and goes on. One that comes later is told as always."""
    assert Case.objects.filter(settled_at=None).exists()
    assert Alert.objects.get(name="cases-open").is_firing
    watch.judge()
    assert not [line for line in caplog.messages if "cases-open" in line]
    Case.objects.update(settled_at=clock.now())
    watch.judge()
    Case.objects.update(settled_at=None)
    watch.judge()
    assert [line for line in caplog.messages if "alert cases-open:" in line]


@pytest.mark.usefixtures("stripe")
def test_days_on_which_nothing_is_due_cost_nothing() -> None:
    """A yearly patron's ten months are one day, and as cheap."""
    with CaptureQueriesContext(connection) as done:
        assert history.make(lambda line: None, ALONE) == 1
    assert len(done) < 500
    assert Message.objects.count() == 1


def test_one_that_was_interrupted_goes_on(stripe: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "TELL_EVERY_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        live(interrupted_on=1)
    killed_while_it_processed_events(stripe)
    for lines in (4, 5):
        with pytest.raises(KeyboardInterrupt):
            live(interrupted_on=lines)
        assert not history.is_there()
    live()
    assert history.is_there()
    assert invariants.broken() == []
    assert not Difference.objects.exists()
    assert Checkout.objects.filter(status="complete").count() == 6
    assert stripe.outbox() == []


def killed_while_it_processed_events(stripe: Simulator) -> None:
    """The first supporter has paid; the events are stored and claimed, and the simulator does not know that."""
    people.act(FEW[0], FEW[0].days_ago)
    for each in stripe.hand_over():
        signature = each["headers"]["Stripe-Signature"]
        Client().post("/webhooks/stripe/", each["payload"], "application/json", HTTP_STRIPE_SIGNATURE=signature)
    assert inbox.claim(100)


def test_the_stories_name_some_forty_people_who_do_not_exist() -> None:
    assert len({story.email for story in STORIES}) == len(STORIES) == 42
    assert all(story.email.endswith("@example.org") for story in STORIES)
    assert all(day >= 0 for story in STORIES for day in story.days())

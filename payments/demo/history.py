"""Simulates the months of the demo data, from one day on which something happens to the next.

Both clocks move together: our business date and the simulator's. A day is skipped if no story, no charge of Stripe's
and no email of ours falls on it. Stripe's events are fetched in batches, posted to our own webhook in this process, and
processed as the drain does it, so no website has to run while the clocks move. An interrupted run can be continued.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from appeals.demo import make_demo_campaign
from members import clock
from members.mail import sweep as mail_sweep
from members.mail.sending import LEASE
from members.models import Message
from members.newsroom import values as newsroom
from payments import daily
from payments.alerts import rules, watch
from payments.books import settlements
from payments.demo import people, scenery, simulator
from payments.demo.stories import STORIES, Story
from payments.inbox import queue as inbox
from payments.models import Checkout, StripeEvent
from payments.reconciling import comparison, missed_events
from payments.reconciling import runs as reconciliation
from payments.webhooks import drain

Tell = Callable[[str], None]

DAY = timedelta(days=1)
TELL_EVERY_SECONDS = 2.0
# Reported last, when the clocks no longer move: `make run` starts the website then.
ARRIVED = "Demo data: comparing with Stripe"
PATIENCE_SECONDS = 10.0
# A worker that has claimed an email this recently is still sending it; an older claim is of a worker that was killed.
JUST_NOW = timedelta(seconds=3)
# Without the limit that protects Stripe: the simulator needs none.
READS_PER_SECOND = 10_000


def is_there() -> bool:
    """Return whether the demo data are complete: the clock has arrived at today, and all is compared with Stripe."""
    return clock.offset() >= timedelta(0) and reconciliation.step().compared_at is not None


def make(tell: Tell, stories: Iterable[Story] = STORIES) -> int:
    """Play the stories from their first day until today; return on how many days something happened.

    `tell` is called every two seconds with the progress. A run that was interrupted is continued.
    """
    scenery.make_levels()
    make_demo_campaign()
    history = History(stories, tell)
    with _alone():
        history.begin()
        while history.days_ago > 0:
            history.live_a_day()
            history.go_on()
        history.end()
    return history.days_lived


class History:
    """Plays the stories once. `stripe_acts_at` is when Stripe next charges somebody or changes a gift."""

    def __init__(self, stories: Iterable[Story], tell: Tell) -> None:
        self.stories = sorted(stories, key=lambda story: -story.days_ago)
        self.days = {day for story in self.stories for day in story.days()}
        self.tell = tell
        self.said_at = -TELL_EVERY_SECONDS
        self.stripe_acts_at: float | None = None
        self.taken: list[str] = []
        self.days_lived = 0

    @property
    def days_ago(self) -> int:
        """Return how many days ago the business date is."""
        return -round(clock.offset() / DAY)

    def begin(self) -> None:
        """Set both clocks to the first day, or continue where an earlier run was interrupted."""
        if not Checkout.objects.exists():
            first = self.stories[0].days_ago
            simulator.ask("begin", days_ago=first)
            clock.reset()
            clock.move(-first * DAY)
        # An interrupted run leaves events that it had claimed. To process an event twice does no harm.
        inbox.put_back(StripeEvent.objects.filter(lease_until__isnull=False), timedelta(0))
        _drain()
        self._work(to=clock.now().timestamp())

    def live_a_day(self) -> None:
        """Play the acts of this day and process the events that follow from them."""
        self.days_lived += 1
        today = self.days_ago
        self._say(today)
        if today in self.days:
            for story in self.stories:
                people.act(story, today)
            self._work()
            if newsroom.lines("STAFF_GIFT_EMAILS"):
                daily.run()

    def go_on(self) -> None:
        """Move to the next day on which something happens: our date, its jobs, Stripe's clock and its events."""
        today = clock.today()
        next_act = today + self._days_to_next_act() * DAY
        next_letter = daily.first_day_with_letters(today, next_act)
        _send_letters()
        clock.move((next_letter or next_act) - today)
        if next_letter:
            daily.run()
        self._work(to=clock.now().timestamp())

    def end(self) -> None:
        """Run the daily jobs and compare with Stripe, as beat does later, so that the desk starts with a true sign."""
        clock.reset()
        self.said_at = -TELL_EVERY_SECONDS
        self._say(0)
        self.tell(ARRIVED)
        while self._work():
            pass
        _drain(waits_for_all=True)
        settlements.collect()  # most are known by their payouts
        daily.run()
        _send_letters()
        missed_events.collect()
        comparison.run()
        _note_open_cases()

    def _say(self, days_ago: int) -> None:
        """Report the progress, at most every TELL_EVERY_SECONDS."""
        if time.monotonic() - self.said_at >= TELL_EVERY_SECONDS:
            begun = sum(story.days_ago >= days_ago for story in self.stories)
            self.tell(f"Demo data: {begun} of {len(self.stories)} supporters, {clock.today():%B}")
            self.said_at = time.monotonic()

    def _work(self, **move: float) -> bool:
        """Process Stripe's new events, with `to` those until that time; return whether there were any."""
        deliveries = self._fetch(**move)
        if deliveries:
            _post(deliveries)
            _drain()
        return bool(deliveries)

    def _fetch(self, **move: float) -> list[dict[str, Any]]:
        """Return Stripe's new deliveries and update `stripe_acts_at`. The earlier ones are stored: say so."""
        answer = simulator.ask("hand_over", taken=self.taken, **move)
        self.stripe_acts_at = answer["next_due"]
        self.taken = [each["id"] for each in answer["deliveries"]]
        return list(answer["deliveries"])

    def _days_to_next_act(self) -> int:
        """Return the days to the next story or to the next charge or change of Stripe's, whichever comes first."""
        today = self.days_ago
        days = today - max((day for day in self.days if day < today), default=0)
        if self.stripe_acts_at is not None:
            days = min(days, math.ceil((self.stripe_acts_at - clock.now().timestamp()) / DAY.total_seconds()))
        return max(1, days)


def _post(deliveries: list[dict[str, Any]]) -> None:
    """Post deliveries to our webhook, which checks their signatures, in one transaction. Raises RuntimeError."""
    client = Client()
    with transaction.atomic():
        for each in deliveries:
            signature, path = each["headers"]["Stripe-Signature"], urlsplit(each["url"]).path
            answer = client.post(path, each["payload"], "application/json", HTTP_STRIPE_SIGNATURE=signature)
            if answer.status_code != 200:
                raise RuntimeError(f"Our webhook answered {answer.status_code} to an event of the simulator.")


def _drain(*, waits_for_all: bool = False) -> None:
    """Process events until none is due; with `waits_for_all` also those that wait for a retry. 10 seconds at most.

    Another drain may be processing some of them.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while drain.work() == drain.BATCH:
        pass
    waiting = StripeEvent.objects.filter(state__in=StripeEvent.WAITING)
    while (waiting.exists() if waits_for_all else inbox.has_due()) and time.monotonic() < deadline:
        time.sleep(0.02)
        drain.until_nothing_is_due()


def _send_letters() -> None:
    """Send the emails that no worker has sent yet, before the clock moves, so that each has the date of its day."""
    if settings.EMAIL_URL:  # left to the workers, at the rate of the mail server
        return
    if Message.objects.due().exists():
        mail_sweep.send_due()
    while Message.objects.filter(lease_until__gt=timezone.now() + LEASE - JUST_NOW).exists():
        time.sleep(0.01)


def _note_open_cases() -> None:
    """Record the alert about the demo's open cases without logging it: it dates from the simulated months.

    It fires from then on like any alert, and a case that is opened later is reported as always.
    """
    watch.log.disabled = True
    try:
        for rule, facts in watch.look([rules.BY_NAME["cases-open"]]):
            watch.report(rule.name, facts)
    finally:
        watch.log.disabled = False


@contextmanager
def _alone() -> Iterator[None]:
    """Stop the simulator's own deliveries, and read it and commit without waiting, until the end of the block."""
    simulator.wait_until_up()
    limit = settings.STRIPE_READS_PER_SECOND
    settings.STRIPE_READS_PER_SECOND = READS_PER_SECOND
    simulator.ask("hold")
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    try:
        yield
    finally:
        simulator.ask("release")
        settings.STRIPE_READS_PER_SECOND = limit

"""Time, messages and accidents of a random life: late, lost and doubled events, crashes, Stripe on a bad day."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from random import Random

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import rule

from members import clock
from payments import daily
from payments.crash_points import AROUND_A_WRITE, AROUND_BILLS, IN_THE_DRAIN, trap
from payments.inbox import queue
from payments.models import MethodChange, OverdueTry, StripeEvent
from payments.reconciling import comparison, missed_events
from payments.reconciling.comparison import hourly
from payments.recurring import method_changes, overdue, unanswered
from payments.webhooks import drain
from tests.machine.house import ANSWERS, House, one_of

SEEDS = st.integers(0, 10_000)
PATHS = ["", "/v1/checkout", "/v1/refunds", "/v1/subscriptions", "/v1/invoices", "/v1/events", "/v1/balance"]
# A path and the method of its calls: one permission of a restricted key.
PERMISSIONS = [
    ("", ""),
    ("", "POST"),
    ("/v1/subscriptions", ""),
    ("/v1/subscriptions", "POST"),
    ("/v1/refunds", "POST"),
    ("/v1/invoices", ""),
    ("/v1/customers", ""),
    ("/v1/checkout/sessions", ""),
    ("/v1/(charges|payment_intents)", ""),
    ("/v1/balance", ""),
    ("/v1/events", ""),
]
KINDS = ["500", "429", "drop", "commit_then_500", "commit_then_drop", "commit_then_timeout"]


class Weather(House):
    # Time, and what is done because of it

    @rule(days=st.sampled_from([1, 6, 33]))
    def time_passes(self, days: int) -> None:
        missed_events.collect()
        self.passes(timedelta(days=days))

    @rule()
    def a_month_of_silence(self) -> None:
        """Nobody asked Stripe for what was lost, and it is gone from the list of events."""
        self.was_silent = True
        self.passes(timedelta(days=33))

    @rule()
    def the_jobs_of_the_day(self) -> None:
        if self.lost or self.on_their_way() or StripeEvent.objects.filter(state__in=StripeEvent.WAITING).exists():
            self.uninformed.append(clock.now())
        daily.run()
        self.stage.send_mail()

    @rule()
    def the_jobs_of_the_minute(self) -> None:
        with self.doing():
            unanswered.retry()

    @rule()
    def the_jobs_of_the_night(self) -> None:
        """In the middle of things the books may well lag behind: what is told then must be taken back by itself."""
        comparison.run()

    @rule()
    def the_jobs_of_the_hour(self) -> None:
        with contextlib.suppress(*ANSWERS):
            hourly.run()

    @rule(number=st.integers(0, 9))
    def a_worker_wakes_for_an_overdue_payment(self, number: int) -> None:
        if row := one_of(OverdueTry.objects.filter(state="requested"), number):
            with self.doing():
                overdue.ask_by_id(row.pk)

    @rule(number=st.integers(0, 9))
    def a_worker_wakes_for_another_card(self, number: int) -> None:
        if row := one_of(MethodChange.objects.filter(state="requested"), number):
            with self.doing():
                method_changes.ask_by_id(row.pk)

    # Messages

    @rule(seed=SEEDS, loses=st.booleans())
    def some_events_come(self, seed: int, loses: bool) -> None:
        """Some of what waits, in any order, some of it twice, some of it never."""
        dice = Random(seed)
        chosen = [event for event in self.on_their_way() if dice.random() < 0.6]
        dice.shuffle(chosen)
        if loses:
            self.lost |= {event["id"] for event in chosen[:2]}
        for event in chosen[2 if loses else 0 :]:
            for _ in range(dice.choice([1, 1, 2])):
                assert self.stage.post(event) == 200

    @rule(seed=SEEDS)
    def the_door_is_killed_before_its_answer(self, seed: int) -> None:
        for event in Random(seed).sample(waiting := self.on_their_way(), min(1, len(waiting))):
            with trap("before-answer"):
                self.stage.post(event)

    # The drain

    @rule()
    def the_drain_works(self) -> None:
        self.works()

    @rule()
    def two_drains_work_side_by_side(self) -> None:
        drains = [threading.Thread(target=_drain) for _ in range(2)]
        for each in drains:
            each.start()
        for each in drains:
            each.join()

    @rule()
    def a_drain_dies_with_events_in_its_hands(self) -> None:
        queue.claim(3)

    @rule(point=st.sampled_from(IN_THE_DRAIN))
    def a_drain_is_killed(self, point: str) -> None:
        with trap(point):
            drain.work()

    # Stripe, and we who ask it

    @rule(point=st.sampled_from(AROUND_A_WRITE + AROUND_BILLS))
    def whoever_asks_next_is_killed(self, point: str) -> None:
        self.dies_at = point

    @rule(kind=st.sampled_from(KINDS), times=st.integers(1, 4), path=st.sampled_from(PATHS))
    def stripe_has_a_bad_day(self, kind: str, times: int, path: str) -> None:
        self.stripe.fail(kind, times=times, path=path, seconds=0.01)

    @rule(
        kind=st.sampled_from(["401", "403"]),
        what=st.sampled_from(PERMISSIONS),
        hours=st.sampled_from([0.2, 1, 26]),
        is_put_right=st.booleans(),
    )
    def the_key_is_refused(self, kind: str, what: tuple[str, str], hours: float, is_put_right: bool) -> None:
        """For every call or, with 403, for one permission: minutes or a day, or until Stripe is well again."""
        path, method = what if kind == "403" else ("", "")
        self.is_key_refused = True
        self.stripe.fail(kind, times=1_000_000, path=path, method=method)
        for _ in range(3):
            self.passes(timedelta(hours=hours / 3))
            self.works()
            self.the_jobs_of_the_minute()
        if is_put_right:
            self.stripe_is_well_again()

    @rule()
    def stripe_is_well_again(self) -> None:
        self.is_key_refused = False
        self.stripe.clear_faults()


def _drain() -> None:
    try:
        drain.until_nothing_is_due()
    finally:
        connection.close()

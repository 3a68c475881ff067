"""Memberships are renewed and ended by facts that arrive late, twice and in any order."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from members.belonging import memberships
from members.models import Level, Membership, Supporter
from tests import factories

SOURCE = "subscription:1"
STATES = Membership.State


def renew(who: Supporter, starts: str, through: str, amount: int = 500, source: str = SOURCE) -> Membership:
    return memberships.renew(
        supporter=who,
        source=source,
        starts_on=date.fromisoformat(starts),
        paid_through=date.fromisoformat(through),
        monthly_amount=amount,
        currency="EUR",
    )


def outcome() -> tuple[object, ...]:
    row = Membership.objects.select_related("level").get()
    return row.level.slug, row.starts_on, row.paid_through, row.grace_through, row.ended_on


@pytest.mark.django_db
class TestRenewing:
    def test_a_first_payment_makes_a_membership(self) -> None:
        row = renew(factories.supporter(), "2026-01-31", "2026-02-27")
        assert outcome() == ("patron", date(2026, 1, 31), date(2026, 2, 27), date(2026, 3, 13), None)
        assert row.state_on(date(2026, 2, 27)) == STATES.ACTIVE
        assert row.state_on(date(2026, 2, 28)) == STATES.GRACE
        assert row.state_on(date(2026, 3, 14)) == STATES.LAPSED

    def test_the_same_payment_twice_is_one_membership(self) -> None:
        who = factories.supporter()
        first = renew(who, "2026-01-31", "2026-02-27")
        assert renew(who, "2026-01-31", "2026-02-27") == first
        assert Membership.objects.count() == 1

    def test_an_early_payment_that_arrives_late_takes_nothing_away(self) -> None:
        who = factories.supporter()
        factories.level("friend", rank=2, amounts={"EUR": 1000})
        renew(who, "2026-02-28", "2026-03-30", amount=1000)
        renew(who, "2026-01-31", "2026-02-27", amount=500)
        assert outcome()[:3] == ("friend", date(2026, 1, 31), date(2026, 3, 30))

    def test_giving_less_from_now_on_lowers_the_level(self) -> None:
        who = factories.supporter()
        factories.level("friend", rank=2, amounts={"EUR": 1000})
        renew(who, "2026-01-31", "2026-02-27", amount=1000)
        renew(who, "2026-02-28", "2026-03-30", amount=500)
        assert outcome()[0] == "patron"

    def test_two_sources_are_two_memberships(self) -> None:
        who = factories.supporter()
        renew(who, "2026-01-31", "2026-02-27")
        renew(who, "2026-01-31", "2026-02-27", source="subscription:2")
        assert who.memberships.count() == 2

    def test_dates_the_wrong_way_round_are_refused(self) -> None:
        with pytest.raises(ValueError, match="before it starts"):
            renew(factories.supporter(), "2026-02-27", "2026-01-31")
        assert not Membership.objects.exists()

    def test_the_database_refuses_such_dates_too(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            factories.membership(starts_on=date(2026, 2, 1), paid_through=date(2026, 1, 1))


@pytest.mark.django_db
class TestEnding:
    def test_what_was_paid_for_stays(self) -> None:
        row = renew(factories.supporter(), "2026-01-31", "2026-02-27")
        memberships.end(row, date(2026, 2, 5))
        assert row.ended_on == date(2026, 2, 28)
        assert row.state_on(date(2026, 2, 27)) == STATES.ACTIVE
        assert row.state_on(date(2026, 2, 28)) == STATES.ENDED

    def test_an_end_within_grace_ends_the_grace(self) -> None:
        row = renew(factories.supporter(), "2026-01-31", "2026-02-27")
        memberships.end(row, date(2026, 3, 5))
        assert row.state_on(date(2026, 3, 4)) == STATES.GRACE
        assert row.state_on(date(2026, 3, 5)) == STATES.ENDED

    def test_of_two_ends_the_earlier_counts(self) -> None:
        row = renew(factories.supporter(), "2026-01-31", "2026-02-27")
        memberships.end(row, date(2026, 3, 5))
        memberships.end(row, date(2026, 3, 9))
        assert row.ended_on == date(2026, 3, 5)

    def test_a_payment_after_the_end_moves_the_end_behind_it(self) -> None:
        who = factories.supporter()
        memberships.end(renew(who, "2026-01-31", "2026-02-27"), date(2026, 3, 5))
        row = renew(who, "2026-02-28", "2026-03-30")
        assert row.ended_on == date(2026, 3, 31)

    def test_a_stale_copy_does_not_undo_a_renewal(self) -> None:
        who = factories.supporter()
        stale = renew(who, "2026-01-31", "2026-02-27")
        renew(who, "2026-02-28", "2026-03-30")
        memberships.end(stale, date(2026, 3, 1))
        assert outcome()[2:] == (date(2026, 3, 30), date(2026, 4, 13), date(2026, 3, 31))


def paid(through: str, amount: int = 500, *, refunded: bool = False) -> memberships.Paid:
    return memberships.Paid(date.fromisoformat(through), amount, "EUR", refunded)


@pytest.mark.django_db
class TestMoneyThatWentBack:
    """Two payments, for February and for March, of which some are refunded."""

    FIRST, SECOND = "2026-02-27", "2026-03-30"

    @pytest.fixture(autouse=True)
    def _two_payments(self) -> None:
        Level.objects.update(stays_when_sent_back=False)
        who = factories.supporter()
        renew(who, "2026-01-31", self.FIRST)
        self.row = renew(who, "2026-02-28", self.SECOND)

    def days(self, *payments: memberships.Paid) -> tuple[object, ...]:
        for _ in range(2):
            memberships.count_again(self.row, payments)
        return outcome()[2:]

    def test_the_newest_leaves_the_days_of_the_one_before_without_grace(self) -> None:
        left = self.days(paid(self.FIRST), paid(self.SECOND, refunded=True))
        assert left == (date(2026, 2, 27), date(2026, 2, 27), None)

    def test_an_older_one_changes_nothing(self) -> None:
        before = outcome()
        assert self.days(paid(self.FIRST, refunded=True), paid(self.SECOND)) == before[2:]

    def test_all_of_them_leave_the_first_day(self) -> None:
        left = self.days(paid(self.FIRST, refunded=True), paid(self.SECOND, refunded=True))
        assert left == (date(2026, 1, 31), date(2026, 1, 31), None)
        assert Membership.objects.get().state_on(date(2026, 2, 1)) == STATES.LAPSED

    def test_money_that_returns_gives_the_days_again_with_grace(self) -> None:
        before = outcome()
        self.days(paid(self.FIRST, refunded=True), paid(self.SECOND, refunded=True))
        assert self.days(paid(self.FIRST), paid(self.SECOND)) == before[2:]

    def test_a_level_lets_the_days_stay(self) -> None:
        Level.objects.update(stays_when_sent_back=True)
        before = outcome()
        assert self.days(paid(self.FIRST, refunded=True), paid(self.SECOND, refunded=True)) == before[2:]

    def test_the_level_of_each_payment_decides_about_its_days(self) -> None:
        factories.level("friend", rank=2, amounts={"EUR": 1000})
        self.days(paid(self.FIRST, 1000, refunded=True), paid(self.SECOND, refunded=True))
        assert outcome()[0] == "friend"
        assert outcome()[2] == date(2026, 2, 27)

    def test_an_end_stays_behind_the_days_that_are_left(self) -> None:
        memberships.end(self.row, date(2026, 3, 5))
        self.days(paid(self.FIRST), paid(self.SECOND, refunded=True))
        memberships.end(self.row, date(2026, 3, 5))
        assert outcome()[2:] == (date(2026, 2, 27), date(2026, 2, 27), date(2026, 3, 5))
        assert self.days(paid(self.FIRST), paid(self.SECOND))[2] == date(2026, 3, 31)

    def test_the_next_payment_makes_it_active_again(self) -> None:
        self.days(paid(self.FIRST), paid(self.SECOND, refunded=True))
        renew(self.row.supporter, "2026-03-31", "2026-04-29")
        after = self.days(paid(self.FIRST), paid(self.SECOND, refunded=True), paid("2026-04-29"))
        assert after == (date(2026, 4, 29), date(2026, 5, 13), None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "payments",
    [
        [("2026-01-05", "2026-02-04", 500, True), ("2026-02-05", "2026-03-04", 1000, True)],
        [("2026-01-05", "2026-02-04", 1000, True), ("2026-02-05", "2026-03-04", 500, False)],
        [("2026-01-05", "2026-02-04", 500, False), ("2026-02-05", "2026-03-04", 1000, True)],
        [("2026-01-05", "2026-01-06", 500, True), ("2026-01-18", "2026-01-19", 5000, False)],
        [
            ("2026-01-05", "2026-02-04", 500, True),
            ("2026-02-05", "2026-03-04", 5000, True),
            ("2026-03-05", "2026-04-04", 1000, False),
        ],
    ],
)
def test_money_that_went_back_leaves_the_same_row_in_any_order(payments: list[tuple[str, str, int, bool]]) -> None:
    """Recalculate after each payment and each refund, as payments/ does, in every possible order."""
    factories.level("friend", rank=2, amounts={"EUR": 1000}, grace_days=60)
    factories.level("guardian", rank=3, amounts={"EUR": 5000}, grace_days=0)
    Level.objects.update(stays_when_sent_back=False)
    steps = [(number, refund) for number, each in enumerate(payments) for refund in (False, True) if each[3] >= refund]
    seen = set()
    for order in itertools.permutations(steps):
        if any(order.index((number, False)) > at for at, (number, _refund) in enumerate(order)):
            continue  # a payment is not refunded before it arrived
        with transaction.atomic():
            who = factories.supporter()
            known: dict[int, memberships.Paid] = {}
            for number, refund in order:
                starts, through, amount, _refunded = payments[number]
                if not refund:
                    renew(who, starts, through, amount)
                known[number] = paid(through, amount, refunded=refund)
                memberships.count_again(Membership.objects.get(), known.values())
            seen.add(outcome())
            transaction.set_rollback(True)
    assert len(seen) == 1


class TestAnyOrder(TestCase):
    """Random renewals and ends leave the same row in every order."""

    def setUp(self) -> None:
        factories.level("friend", rank=2, amounts={"EUR": 1000}, grace_days=60)
        factories.level("guardian", rank=3, amounts={"EUR": 5000}, grace_days=0)

    @settings(max_examples=40, deadline=None)
    @given(
        renewals=st.lists(
            st.tuples(st.integers(0, 200), st.integers(0, 60), st.sampled_from([500, 1000, 5000])),
            min_size=1,
            max_size=3,
        ),
        ends=st.lists(st.integers(0, 260), max_size=2),
    )
    def test_the_row_is_the_same(self, renewals: list[tuple[int, int, int]], ends: list[int]) -> None:
        day = date(2026, 1, 1).toordinal()

        def renewing(start: int, length: int, amount: int) -> Callable[[Supporter], None]:
            begin, through = date.fromordinal(day + start), date.fromordinal(day + start + length)
            return lambda who: renew(who, begin.isoformat(), through.isoformat(), amount) and None

        def ending(on: int) -> Callable[[Supporter], None]:
            return lambda who: memberships.end(Membership.objects.get(), date.fromordinal(day + on))

        first, *others = [renewing(*each) for each in renewals]
        facts = [*others, *(ending(each) for each in ends)]
        seen = {self._outcome_of(first, order) for order in itertools.permutations(facts)}
        assert len(seen) == 1

    def _outcome_of(self, first: Callable[[Supporter], None], order: tuple[Callable[[Supporter], None], ...]) -> object:
        with transaction.atomic():
            who = factories.supporter()
            for fact in (first, *order):
                fact(who)
            found = outcome()
            transaction.set_rollback(True)
        return found


def test_payments_at_the_same_moment_make_one_membership(committed: None) -> None:
    who = factories.supporter()
    months = ["2026-02-27", "2026-03-30", "2026-04-29", "2026-05-30"]
    gate = threading.Barrier(len(months))
    problems: list[BaseException] = []

    def pay(through: str) -> None:
        try:
            gate.wait(10)
            renew(who, "2026-01-31", through)
        except BaseException as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=pay, args=(through,)) for through in months]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert problems == []
    assert Membership.objects.get().paid_through == date(2026, 5, 30)

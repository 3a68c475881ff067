"""The progress of a campaign, counted from received payments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from appeals.models import Campaign
from members.models import Supporter
from payments import tasks
from payments.books import progress
from payments.models import Subscription
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def reached(campaign: Campaign) -> int:
    tasks.record_campaign_progress()
    campaign.refresh_from_db()
    return campaign.progress


def subscribed(who: Supporter, to: Campaign | None, *, days: int = 0, paid: bool = True) -> Subscription:
    row = factories.subscription(who, campaign=to, started_at=NOON + timedelta(days=days))
    if paid:
        factories.payment(who, subscription=row, campaign=to, frequency="month")
    return row


class TestPatrons:
    @pytest.fixture
    def autumn(self) -> Campaign:
        return factories.campaign("autumn", goal_kind="patrons")

    def test_people_count_and_not_their_payments(self, autumn: Campaign) -> None:
        for _ in range(2):
            who = factories.supporter()
            row = subscribed(who, autumn)
            factories.payment(who, subscription=row, campaign=autumn, frequency="month")
        assert reached(autumn) == 2

    def test_a_subscription_without_money_is_not_a_patron_yet(self, autumn: Campaign) -> None:
        who = factories.supporter()
        row = subscribed(who, autumn, paid=False)
        factories.payment(who, subscription=row, campaign=autumn, status="failed")
        assert reached(autumn) == 0

    def test_who_was_a_patron_before_is_not_a_new_one(self, autumn: Campaign) -> None:
        who = factories.supporter()
        subscribed(who, None, days=-400)
        subscribed(who, autumn)
        assert reached(autumn) == 0

    def test_an_earlier_attempt_that_was_never_paid_does_not_count_against_them(self, autumn: Campaign) -> None:
        who = factories.supporter()
        subscribed(who, None, days=-400, paid=False)
        subscribed(who, autumn)
        assert reached(autumn) == 1

    def test_two_at_the_same_moment_are_one_patron(self, autumn: Campaign) -> None:
        who = factories.supporter()
        subscribed(who, autumn)
        subscribed(who, autumn)
        assert reached(autumn) == 1

    def test_money_that_was_all_sent_back_makes_nobody_a_patron(self, autumn: Campaign) -> None:
        row = subscribed(factories.supporter(), autumn)
        factories.refund(row.payments.get(), 400)
        assert reached(autumn) == 1
        factories.refund(row.payments.get(), 600)
        assert reached(autumn) == 0

    def test_money_that_a_bank_took_back_makes_nobody_a_patron(self, autumn: Campaign) -> None:
        row = subscribed(factories.supporter(), autumn)
        factories.dispute(row.payments.get())
        assert reached(autumn) == 0

    def test_gifts_given_once_and_other_campaigns_are_left_out(self, autumn: Campaign) -> None:
        other = factories.campaign("other", goal_kind="patrons")
        factories.payment(campaign=autumn)
        subscribed(factories.supporter(), other)
        assert (reached(autumn), reached(other)) == (0, 1)


def test_gifts_that_were_received_and_kept(django_assert_num_queries) -> None:
    autumn = factories.campaign(goal_kind="gifts")
    for _ in range(3):
        factories.payment(campaign=autumn)
    factories.payment(campaign=autumn, status="processing")
    factories.payment(campaign=autumn, status="failed")
    factories.refund(factories.payment(campaign=autumn), 1000)
    factories.refund(factories.payment(campaign=autumn), 1)
    factories.dispute(factories.payment(campaign=autumn))
    assert reached(autumn) == 4


def test_money_in_the_goals_currency_without_what_went_back() -> None:
    autumn = factories.campaign(goal_kind="money", goal_currency="EUR", goal=2000000)
    factories.payment(campaign=autumn, amount=2500)
    factories.refund(factories.payment(campaign=autumn, amount=1000), 300)
    factories.refund(factories.payment(campaign=autumn, amount=1000), 1000)
    factories.dispute(factories.payment(campaign=autumn, amount=1000), withdrawn_amount=600)
    factories.dispute(
        factories.refund(factories.payment(campaign=autumn, amount=1000), 400).payment, withdrawn_amount=600
    )
    factories.payment(campaign=autumn, amount=90000, currency="UAH")
    factories.payment(campaign=autumn, amount=5000, status="processing")
    assert reached(autumn) == 3600


@pytest.mark.parametrize("kind", Campaign.Goal.values)
def test_what_was_reached_elsewhere_is_added(kind: str) -> None:
    made = factories.campaign(goal_kind=kind, goal_currency="EUR", starting_value=287)
    assert reached(made) == 287


def test_only_running_campaigns_are_counted() -> None:
    over = factories.campaign("over", goal_kind="gifts", ends_on=date(2021, 1, 1))
    factories.payment(campaign=over)
    assert progress.record_all() == 0
    over.refresh_from_db()
    assert (over.progress, over.progress_at) == (0, None)


def test_one_query_a_kind_of_goal_however_many_campaigns(django_assert_num_queries) -> None:
    for number in range(3):
        for kind in ("patrons", "gifts"):
            factories.campaign(f"{kind}-{number}", goal_kind=kind)
    with django_assert_num_queries(1 + 2 + 6):  # the campaigns, a count a kind, a row written for each
        progress.record_all()


def test_the_count_says_when_it_was_made() -> None:
    made = factories.campaign()
    before = datetime.now(UTC)
    progress.record_all()
    made.refresh_from_db()
    assert before <= made.progress_at <= datetime.now(UTC)

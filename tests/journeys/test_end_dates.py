"""An end date at Stripe may be years ahead: until the period in which it lies, the gift goes on like any other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from members import clock
from members.models import Message
from payments.models import Payment, Subscription
from payments.templatetags.money import day
from tests.journeys.letters import kinds, words
from tests.journeys.test_near_a_renewal import dashboard, page, pressed, received
from tests.payments.reader_links import at_stripe, press, state_of, stop_page
from tests.stage import Stage

pytestmark = pytest.mark.django_db


def ends_in(stage: Stage, days: int) -> date:
    """Staff set an end date in the dashboard; that day."""
    end = clock.now() + timedelta(days=days)
    stripe_id = Subscription.objects.get().stripe_subscription_id
    dashboard(stage).v1.subscriptions.update(stripe_id, {"cancel_at": int(end.timestamp())})
    stage.settle_down()
    return clock.day_of(end)


def agreed_end(stage: Stage) -> date | None:
    at = stage.stripe.get(Subscription.objects.get().stripe_subscription_id)["cancel_at"]
    return clock.day_of(datetime.fromtimestamp(at, UTC)) if at else None


def test_years_ahead_it_goes_on_and_the_day_is_named(stage: Stage) -> None:
    stage.join("month", amount="10")
    end = ends_in(stage, 1100)
    row = Subscription.objects.get()
    assert (row.is_stopping, row.ends_on) == (False, end)
    assert row in Subscription.objects.continuing()
    assert row in Subscription.objects.renewing_by(row.renews_on)
    assert kinds() == ["thanks_first_recurring"], "nobody is told that nothing more is charged"
    found = page(stage)
    assert state_of(found.encode()) == "ask"
    assert f"<dt>Ends</dt><dd>{day(end)}</dd>" in found
    stage.sleep_until(row.renews_on)
    assert received() == [1000, 1000]
    assert day(end) in words("receipt_recurring")
    assert "You stayed" in words("receipt_recurring")
    stage.sleep(310)
    stage.advance(30)
    assert "monthly_reminder" in kinds()
    assert day(end) in words("monthly_reminder")
    assert not {"cancelled", "ended"} & set(kinds())


def test_a_yearly_gift_is_reminded_of_its_renewal(stage: Stage) -> None:
    stage.join("year", amount="100")
    end = ends_in(stage, 900)
    stage.sleep(335)
    stage.advance(1)
    assert "Your yearly gift renews on" in words("renewal_upcoming_year")
    assert day(end) in words("renewal_upcoming_year")
    stage.sleep(40)
    assert received() == [10000, 10000]


def test_who_falls_behind_is_told(stage: Stage) -> None:
    stage.join("month", amount="10", card="4000000000000341")
    ends_in(stage, 800)
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.advance(4)
    assert {"payment_failed_1", "payment_failed_2"} <= set(kinds())


def test_stopping_works_and_keeping_gives_the_date_back(stage: Stage) -> None:
    stage.join("month", amount="10")
    end = ends_in(stage, 800)
    assert press(stage, "stop") == "done"
    stage.settle_down()
    row = Subscription.objects.get()
    assert (at_stripe()["stopping"], agreed_end(stage)) == (True, row.renews_on)
    assert words("cancelled").startswith("Done. Nothing more will be charged.")
    assert press(stage, "keep") == "kept"
    stage.settle_down()
    assert (at_stripe()["stopping"], agreed_end(stage)) == (False, end)
    assert kinds()[-1] == "resumed"
    stage.sleep_until(row.renews_on)
    assert received() == [1000, 1000]
    press(stage, "stop")
    stage.settle_down()
    stage.sleep(40)
    assert (received(), at_stripe()["status"]) == ([1000, 1000], "canceled")


def test_keeping_before_any_event_gives_the_date_back(stage: Stage) -> None:
    stage.join("month", amount="10")
    end = ends_in(stage, 800)
    press(stage, "stop")
    assert press(stage, "keep") == "kept"
    stage.settle_down()
    assert (at_stripe()["stopping"], agreed_end(stage)) == (False, end)


@pytest.mark.parametrize(("do", "more"), [("pause", {}), ("lower", {"amount": "500"})])
def test_pause_and_less_leave_the_date_alone(stage: Stage, do: str, more: dict[str, str]) -> None:
    stage.join("month", amount="10")
    end = ends_in(stage, 800)
    press(stage, do, **more)
    stage.settle_down()
    assert agreed_end(stage) == end
    if do == "pause":
        assert press(stage, "keep") == "kept"
        stage.settle_down()
        assert agreed_end(stage) == end


def test_when_it_comes_near_the_last_payment_is_named(stage: Stage) -> None:
    stage.join("month", amount="10")
    end = ends_in(stage, 45)
    renews_on = Subscription.objects.get().renews_on
    stage.sleep_into_the_hour()
    assert at_stripe()["stopping"]
    told = words("cancelled")
    assert told.startswith(f"Your gift ends on {day(end)}.")
    assert f"The payment of {day(renews_on)} is the last one." in told
    assert "Nothing more will be charged" not in told
    assert received() == [1000], "the email came before the payment that it names"
    stage.sleep_until(end)
    stage.advance(1)
    part = received()[-1]
    assert (received(), at_stripe()["status"]) == ([1000, part], "canceled")
    assert 0 < part < 1000, "Stripe bills the last period by its days"
    assert kinds().count("cancelled") == 1
    stage.sleep(60)
    assert received() == [1000, part]


def test_one_that_ends_in_this_period_is_a_stop_and_can_be_kept(stage: Stage) -> None:
    stage.join("month", amount="10")
    end = ends_in(stage, 10)
    row = Subscription.objects.get()
    assert row.is_stopping
    assert words("cancelled").startswith("Done. Nothing more will be charged.")
    assert f"Take it back until {day(end)}" in words("cancelled")
    found = page(stage)
    assert f"Until {day(end)}. It goes on as before, with €10.00 on {day(row.renews_on)}." in found
    assert press(stage, "keep") == "kept"
    stage.settle_down()
    assert agreed_end(stage) is None
    stage.sleep_until(row.renews_on)
    assert received() == [1000, 1000]


def test_the_last_period_is_not_renewed(stage: Stage) -> None:
    """An end date on the very end of the period is a stop at its end."""
    stage.join("month", amount="10")
    row = Subscription.objects.get()
    at = int(row.current_period_end.timestamp())
    dashboard(stage).v1.subscriptions.update(row.stripe_subscription_id, {"cancel_at": at})
    stage.settle_down()
    assert Subscription.objects.get().is_stopping
    stage.sleep(40)
    assert (received(), at_stripe()["status"]) == ([1000], "canceled")
    assert Payment.objects.count() == 1
    assert not Message.objects.filter(kind="payment_failed_1").exists()
    assert stop_page()
    assert "Start again" in page(stage)
    assert "Done. Nothing more will be charged." in pressed(stage, "stop")

"""While a renewal's invoice is a draft, every page and letter names the bill that is about to be taken."""

from __future__ import annotations

import re

from members import clock
from members.links import signed
from payments.models import Payment, Subscription
from payments.templatetags.money import day
from tests.journeys.letters import words
from tests.journeys.test_near_a_renewal import dashboard, in_the_hour, is_still_taken, later
from tests.payments.reader_links import GOOD, change_card, method_page, press, stop_page
from tests.stage import Stage


def one() -> Subscription:
    return Subscription.objects.get()


def return_page() -> str:
    checkout = one().checkout
    assert checkout is not None
    return f"/support/return/{signed.sign('return', str(checkout.public_id))}/"


def seen(stage: Stage, path: str) -> tuple[str, dict[str, str]]:
    """The words of a page, and what it says to machines."""
    found = stage.client.get(path).content.decode()
    [gift] = re.findall(r"<[a-z]+ [^>]*data-gift=[^>]*>", found)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split()), dict(re.findall(r'data-([a-z-]+)="([^"]*)"', gift))


def test_the_pages_of_a_gift_name_it_with_sum_and_day(stage: Stage) -> None:
    in_the_hour(stage)
    today = clock.today()
    for path in (return_page(), stop_page(), method_page()):
        found, said = seen(stage, path)
        assert (said["due"], said["due-on"]) == ("1000", today.isoformat()), path
        assert said["next-on"] == one().renews_on.isoformat()
    for path in (return_page(), method_page()):
        found, _said = seen(stage, path)
        assert f"Under way €10.00 on {day(today)}" in found, path
    assert "Nothing is charged now" not in seen(stage, method_page())[0]
    later(stage)
    for path in (return_page(), stop_page(), method_page()):
        assert "due" not in seen(stage, path)[1]
    assert "Nothing is charged now" in seen(stage, method_page())[0]


def test_a_lower_amount_does_not_hide_the_old_one(stage: Stage) -> None:
    in_the_hour(stage)
    press(stage, "lower", amount="500")
    found, said = seen(stage, return_page())
    assert (said["amount"], said["due"]) == ("500", "1000")
    assert f"Under way €10.00 on {day(clock.today())}" in found


def test_a_card_changed_in_the_hour_promises_nothing_about_that_bill(stage: Stage) -> None:
    in_the_hour(stage)
    back = change_card(stage, card_number=GOOD)
    stage.settle_down()
    found, _said = seen(stage, back)
    assert "From now on you pay this way." in found
    assert is_still_taken() in found
    assert "Nothing was charged now" not in found
    later(stage)
    assert Payment.objects.filter(status="succeeded").count() == 2


def test_the_letter_about_a_stop_undone_in_the_dashboard(stage: Stage) -> None:
    in_the_hour(stage)
    gift = one().stripe_subscription_id
    stage.stripe.cancel(gift, at_period_end=True)
    stage.settle_down()
    expected = is_still_taken()
    dashboard(stage).v1.subscriptions.update(gift, {"cancel_at_period_end": False})
    stage.settle_down()
    assert f"{expected} The next payment is on {day(one().renews_on)}." in words("resumed")


def test_the_letter_with_the_links(stage: Stage) -> None:
    in_the_hour(stage)
    stage.client.post("/support/manage/", {"email": "olena@example.org"})
    stage.send_mail()
    found = words("gift_links")
    assert f"Under way €10.00 on {day(clock.today())}" in found
    assert f"Next payment {day(one().renews_on)}" in found

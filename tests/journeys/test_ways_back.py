"""What letters and the pages behind them offer: the way back, a new card, the language chosen; and nothing stale."""

from __future__ import annotations

import re

from members import clock
from members.links import signed
from members.models import Message, Supporter
from payments.models import Payment, Subscription
from payments.templatetags.money import day
from tests.journeys.letters import words
from tests.payments.reader_links import press, stop_page
from tests.stage import Stage, link

SETTLES, FAILS = "DE89370400440532013000", "DE62370400440532013001"
FAILS_LATER = "4000000000000341"


def test_who_stops_takes_it_back_from_the_letter_that_confirms_it(stage: Stage) -> None:
    stage.join("month", amount="10")
    press(stage, "stop")
    stage.settle_down()
    row = Subscription.objects.get()
    assert f"Take it back until {day(row.renews_on)}" in words("cancelled")
    assert "/support/?" not in words("cancelled"), "a second gift would be charged for time that is paid for"
    stage.client.post(link(words("cancelled"), "/stop/"), {"do": "keep"})
    stage.settle_down()
    assert not Subscription.objects.get().is_stopping


def test_who_stops_while_behind_is_led_to_a_new_gift(stage: Stage) -> None:
    stage.join("month", amount="10", card=FAILS_LATER)
    stage.sleep(33)
    press(stage, "stop")
    stage.settle_down()
    assert "Take it back" not in words("cancelled")
    assert "/support/?" in words("cancelled")


def test_a_receipt_leads_to_a_new_card(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.sleep(33)
    page = stage.client.get(link(words("receipt_recurring"), "/stop/")).content.decode()
    method = re.search(r'href="(/method/[^"]+)"', page)
    assert method
    assert 'data-state="ask"' in stage.client.get(method.group(1)).content.decode()


def test_an_old_link_thanks_for_the_time_that_was(stage: Stage) -> None:
    stage.join("month", amount="10")
    page = stop_page()
    stage.sleep(70)
    press(stage, "stop")
    stage.settle_down()
    stage.sleep(280)
    assert Subscription.objects.get().status == "canceled"
    later = stage.client.get(page).content.decode()
    assert "Thank you for 3 months." in later
    assert "We confirm it by email" not in later


def test_the_stop_page_of_who_is_behind_names_no_day_that_is_past(stage: Stage) -> None:
    stage.join("month", amount="10", card=FAILS_LATER)
    stage.sleep(36)
    row = Subscription.objects.get()
    assert row.status == "past_due"
    assert row.membership.paid_through < clock.today()
    assert "Patron until" not in stage.client.get(stop_page()).content.decode()


def test_who_pays_by_debit_is_not_told_that_a_debit_would_mend_it(stage: Stage) -> None:
    stage.stripe.world.policy.retry_days = (4, 8, 16)
    stage.join("month", amount="25", iban=SETTLES)
    stage.sleep(10)
    stage.stripe.set_payment_method(Subscription.objects.get().stripe_customer_id, iban=FAILS)
    stage.settle_down()
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.advance(12)
    assert "a debit from your bank account" not in words("payment_failed_2")


def test_a_chosen_language_holds_for_letters_about_an_old_gift(stage: Stage) -> None:
    stage.join("once", amount="25")
    who = Supporter.objects.get()
    stage.client.post(f"/preferences/{signed.sign('preferences', str(who.public_id))}/", {"language": "uk"})
    stage.stripe.refund(Payment.objects.get().stripe_payment_intent_id)
    stage.settle_down()
    assert Message.objects.get(kind="refund_done").language == "uk"

"""What a letter says is so when it is sent, whatever the giver has asked for since its cause began."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import stripe

from members.links import signed
from members.models import Message
from payments.models import Case, Payment, Subscription
from tests.journeys.letters import kinds, words
from tests.journeys.test_duplicates import pay_both, two_sessions
from tests.payments.reader_links import press
from tests.stage import KEY, Stage

SETTLES, FAILS = "DE89370400440532013000", "DE62370400440532013001"
DOES_NOT_GO_ON = "This gift does not go on: nothing is charged after this payment."


def stop(stage: Stage, row: Subscription | None = None) -> None:
    row = row or Subscription.objects.get()
    stage.client.post(f"/stop/{signed.sign('stop', str(row.public_id))}/", {"do": "stop"})
    stage.settle_down()


def with_the_bank(stage: Stage) -> Payment:
    """A monthly debit whose first renewal is on its way."""
    stage.join("month", amount="25", iban=SETTLES)
    stage.sleep(33)
    return Payment.objects.get(status="processing")


def from_now_on(stage: Stage, iban: str) -> None:
    stage.stripe.set_payment_method(Subscription.objects.latest("pk").stripe_customer_id, iban=iban)
    stage.settle_down()


# While a debit is with the bank


def test_who_stops_before_the_first_debit_has_come_is_told_of_it_and_then_promised_nothing(stage: Stage) -> None:
    stage.join("month", amount="25", iban=SETTLES)
    stop(stage)
    assert "Your bank has had a payment of €25.00 in hand since" in words("cancelled")
    assert "Nothing more will be charged" not in words("cancelled")
    stage.sleep(6)
    assert kinds() == ["thanks_processing", "cancelled", "processing_done"]
    assert DOES_NOT_GO_ON in words("processing_done")
    assert "until you stop it" not in words("processing_done")


def test_who_stops_before_a_renewals_debit_has_come_gets_a_receipt_that_knows(stage: Stage) -> None:
    with_the_bank(stage)
    stop(stage)
    stage.sleep(7)
    told = words("receipt_recurring")
    assert DOES_NOT_GO_ON in told
    assert not any(promise in told for promise in ("You stayed", "Next payment", "To stop:", "because you give"))


def test_who_pauses_before_a_renewals_debit_has_come_gets_a_receipt_that_knows(stage: Stage) -> None:
    with_the_bank(stage)
    press(stage, "pause")
    stage.settle_down()
    stage.sleep(7)
    told = words("receipt_recurring")
    assert "This gift is paused: nothing is charged until the pause ends." in told
    assert "To stop:" in told
    assert "Next payment" not in told


def test_a_debit_that_fails_after_its_gift_was_stopped_is_not_spoken_of_as_tried_again(stage: Stage) -> None:
    stage.join("month", amount="25", iban=SETTLES)
    stage.sleep(10)
    from_now_on(stage, FAILS)
    stage.sleep_until(Subscription.objects.get().renews_on + timedelta(days=2))
    stop(stage)
    stage.sleep(4)
    assert Payment.objects.latest("pk").status == "failed"
    assert "processing_failed" not in kinds()


def test_a_first_debit_that_fails_after_the_stop_offers_nothing(stage: Stage) -> None:
    stage.join("month", amount="25", iban=FAILS)
    stop(stage)
    stage.sleep(7)
    told = words("processing_failed")
    assert "You owe nothing." in told
    assert not any(offer in told for offer in ("We ask your bank again", "Try again:", "To stop:"))


def test_a_debit_that_fails_after_its_mandate_was_revoked_has_been_told_of(stage: Stage) -> None:
    payment = with_the_bank(stage)
    stage.stripe.revoke_mandate(Subscription.objects.get().stripe_payment_method_id)
    stage.settle_down()
    stage.stripe.settle_sepa(payment.stripe_payment_intent_id, succeeds=False)
    stage.settle_down()
    assert kinds()[-1] == "mandate_cancelled"


def test_a_debit_that_fails_beside_another_gift_is_shown_to_staff_alone(stage: Stage) -> None:
    stage.join("year", amount="100")
    stage.join("month", amount="25", iban=SETTLES, form_key="besides")
    stage.sleep(10)
    from_now_on(stage, FAILS)
    stage.sleep_until(Subscription.objects.get(frequency="month").renews_on + timedelta(days=6))
    assert Payment.objects.latest("pk").status == "failed"
    assert "processing_failed" not in kinds()
    assert Case.objects.filter(kind="failed_beside").count() == 1


# Beside another gift


def test_who_stops_one_of_two_is_told_that_the_other_goes_on(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.join("month", amount="20", form_key="another tab")
    first, second = Subscription.objects.order_by("pk")
    stop(stage, first)
    told = words("cancelled")
    assert Message.objects.get(kind="cancelled").subject == "Done: this gift has stopped"
    assert told.startswith("Done. Nothing more will be charged for this gift.")
    assert "Your other gift goes on." in told
    stage.sleep(33)
    assert Subscription.objects.get(pk=first.pk).status == "canceled"
    assert "ended" not in kinds(), "they are a patron still"
    stop(stage, second)
    assert words("cancelled").startswith("Done. Nothing more will be charged. ")


def test_a_patron_who_gives_once_besides_is_not_told_that_nothing_is_charged(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.join("once", amount="50", form_key="besides")
    assert "You gave this once. Nothing more will be charged for it." in words("thanks_repeat_once")


# Several changes on one day


@pytest.mark.parametrize(
    ("presses", "last"),
    [
        (["stop", "keep", "stop", "keep"], "resumed"),
        (["stop", "keep", "stop"], "cancelled"),
        (["pause", "keep", "pause"], "paused"),
        (["pause", "keep", "pause", "keep"], "resumed"),
    ],
)
def test_the_last_letter_of_a_day_says_what_is_so(stage: Stage, presses: list[str], last: str) -> None:
    stage.join("month", amount="10")
    for wish in presses:
        press(stage, wish)
        stage.settle_down()
    assert len(kinds()) == 1 + len(presses)
    assert kinds()[-1] == last


def test_another_rhythm_is_told_and_is_not_more(stage: Stage) -> None:
    stage.join("month", amount="10")
    client = stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url})
    item = client.v1.subscriptions.retrieve(Subscription.objects.get().stripe_subscription_id)["items"]["data"][0]
    client.v1.subscriptions.update(
        item["subscription"],
        {
            "items": [
                {
                    "id": item["id"],
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 10000,
                        "recurring": {"interval": "year"},
                        "product": item["price"]["product"],
                    },
                }
            ],
            "proration_behavior": "none",
        },
    )
    stage.settle_down()
    assert "thanks_upgrade" not in kinds()
    assert "From now on you give €100.00 every year." in words("plan_changed")


# What it is paid from, and what came of it


def test_who_moves_from_a_card_to_a_debit_is_not_told_that_it_runs_out(stage: Stage) -> None:
    stage.begin(date(2027, 1, 20))
    stage.pay(stage.give("month", amount="10"), expires=(4, 2027))
    stage.settle_down()
    assert Subscription.objects.get().method_expires_on == date(2027, 4, 30)
    from_now_on(stage, SETTLES)
    row = Subscription.objects.get()
    assert (row.method, row.method_expires_on) == ("SEPA 3000", None)


def test_who_gives_less_while_behind_is_told_that_the_old_payment_stays(stage: Stage) -> None:
    stage.join("month", amount="20", card="4000000000000341")
    stage.sleep_until(Subscription.objects.get().renews_on)
    assert press(stage, "lower", amount="1000") == "lowered"
    stage.settle_down()
    assert "The payment that did not go through stays as it was." in words("plan_changed")


def test_who_ends_with_everything_taken_back_is_not_thanked_for_nothing(stage: Stage) -> None:
    stage.join("month", amount="25", iban=SETTLES)
    stage.sleep(8)
    stage.stripe.dispute(Payment.objects.get().stripe_charge_id)
    stage.settle_down()
    stage.stripe.set_payment_method(Subscription.objects.get().stripe_customer_id, "4000000000000341")
    stage.settle_down()
    stage.sleep(60)
    assert kinds()[-1] == "ended_unpaid"
    assert "in all" not in words("ended_unpaid")


def test_a_second_subscription_of_one_checkout_has_no_page_to_look_it_up(stage: Stage) -> None:
    pay_both(stage, *two_sessions(stage, "month"))
    first, second = Message.objects.filter(kind="thanks_first_recurring").order_by("pk")
    assert "look it up:" in first.body_text
    assert "look it up:" not in second.body_text
    assert 'href=""' not in second.body_html

"""Gifts that a bank takes back: withdrawn, won back, lost, only asked about, after a refund, weeks after a debit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from members.models import Message
from payments.books import payouts
from payments.models import Case, Difference, Dispute, LedgerEntry, Payment, Payout, StripeEvent, Subscription
from payments.stripe_api import means
from tests.payments.reconciling.setting import compare
from tests.stage import Stage, shuffled


def given(stage: Stage, **how: str) -> Payment:
    stage.join("once", amount="25", **how)
    return Payment.objects.get()


def lines() -> list[tuple[str, int]]:
    moved = LedgerEntry.objects.exclude(kind__in=("settlement", "dispute_fee")).order_by("pk")
    return list(moved.values_list("kind", "amount"))


def balanced(stage: Stage) -> None:
    """Our settled lines are Stripe's balance, fees and all, whether a fee is inside a line or a line of its own."""
    settled = LedgerEntry.objects.filter(kind__in=("settlement", "dispute_fee"))
    theirs = stage.stripe.snapshot()["eur"]
    assert sum(line.settled_amount for line in settled) == theirs["gross"]
    assert sum(line.fee for line in settled) == theirs["fees"]
    assert stage.books()["broken"] == []


@pytest.mark.parametrize("is_won", [True, False])
def test_a_dispute_takes_the_gift_and_its_fee_and_ends(stage: Stage, is_won: bool) -> None:
    payment = given(stage)
    dispute = stage.stripe.dispute(payment.stripe_payment_intent_id)
    stage.settle_down()
    payment.refresh_from_db()
    assert (payment.status, payment.disputed_amount) == ("succeeded", 2500)
    assert Dispute.objects.get().is_open
    assert Case.objects.get().kind == "dispute"
    assert stage.books()["currencies"]["EUR"]["disputes"] == 2500
    fee = LedgerEntry.objects.get(settles__kind="dispute").fee
    assert fee == 1500

    stage.stripe.close_dispute(dispute["id"], won=is_won)
    stage.settle_down()
    payment.refresh_from_db()
    assert Dispute.objects.get().status == ("won" if is_won else "lost")
    assert payment.disputed_amount == (0 if is_won else 2500)
    returned = [("dispute_returned", 2500)] if is_won else []
    assert lines() == [("charge", 2500), ("dispute", -2500), *returned]
    balanced(stage)


def test_each_line_is_dated_by_the_day_on_which_the_money_moved(stage: Stage) -> None:
    """A dispute won two months later must not change a month that is closed."""
    payment = given(stage)
    dispute = stage.stripe.dispute(payment.stripe_payment_intent_id)
    stage.settle_down()
    stage.sleep(60)
    stage.stripe.close_dispute(dispute["id"], won=True)
    stage.settle_down()
    moments = dict(LedgerEntry.objects.exclude(kind="settlement").values_list("kind", "occurred_at"))
    assert timedelta(days=59) < moments["dispute_returned"] - moments["dispute"] < timedelta(days=61)


def test_an_inquiry_moves_no_money(stage: Stage) -> None:
    payment = given(stage)
    dispute = stage.stripe.dispute(payment.stripe_payment_intent_id, inquiry=True)
    stage.settle_down()
    stage.stripe.close_dispute(dispute["id"], won=True)
    stage.settle_down()
    assert Dispute.objects.get().status == "warning_closed"
    assert lines() == [("charge", 2500)]
    balanced(stage)


@pytest.mark.parametrize("inquiry", [False, True])
def test_a_dispute_that_was_answered_is_with_the_bank(stage: Stage, inquiry: bool) -> None:
    payment = given(stage)
    dispute = stage.stripe.dispute(payment.stripe_payment_intent_id, inquiry=inquiry)
    stage.settle_down()
    assert Dispute.objects.get().status.endswith("needs_response")
    stage.stripe.answer_dispute(dispute["id"])
    stage.settle_down()
    assert Dispute.objects.get().status == ("warning_under_review" if inquiry else "under_review")
    assert StripeEvent.objects.get(type="charge.dispute.updated").state == "processed"
    balanced(stage)


def test_a_dispute_after_a_partial_refund(stage: Stage) -> None:
    payment = given(stage)
    stage.stripe.refund(payment.stripe_payment_intent_id, 1000)
    stage.stripe.dispute(payment.stripe_payment_intent_id, 1500)
    stage.settle_down()
    payment.refresh_from_db()
    assert (payment.refunded_amount, payment.disputed_amount) == (1000, 1500)
    balanced(stage)


def test_what_was_sent_back_and_taken_back_is_shown_to_staff(stage: Stage) -> None:
    """The bank takes the whole gift although it was refunded: it happens, and only a person can get it back."""
    payment = given(stage)
    stage.stripe.refund(payment.stripe_payment_intent_id, 1000)
    stage.settle_down()
    stage.stripe.dispute(payment.stripe_payment_intent_id)
    stage.settle_down()
    case = Case.objects.get(kind="taken_twice")
    assert case.facts == {"payment": payment.pk, "taken_back": [3500, "EUR"]}
    assert case.supporter == payment.supporter
    balanced(stage)


def test_a_bank_debit_returned_weeks_later_reverses_its_line(stage: Stage) -> None:
    stage.join("month", amount="25", iban="DE89370400440532013000")
    stage.sleep(45)
    payment = Payment.objects.filter(status="succeeded").earliest("paid_at")
    stage.stripe.dispute(payment.stripe_payment_intent_id, reason="debit_not_authorized")
    stage.settle_down()
    payment.refresh_from_db()
    assert Dispute.objects.get().status == "lost"
    assert payment.disputed_amount == 2500
    balanced(stage)
    letter = Message.objects.get(kind="payment_returned")
    assert letter.context["amount"] == 2500
    assert "/stop/" in letter.context["stop_url"]


@pytest.mark.parametrize(
    ("kind", "last4"), [("bacs_debit", "2345"), ("us_bank_account", "6789"), ("acss_debit", "9000")]
)
def test_a_debit_of_any_scheme_taken_back_weeks_later_is_told(stage: Stage, kind: str, last4: str) -> None:
    stage.join("once", amount="40", currency="GBP")
    Payment.objects.update(method=means.method({"type": kind, kind: {"last4": last4}}))
    stage.sleep(30)
    dispute = stage.stripe.dispute(Payment.objects.get().stripe_charge_id, reason="debit_not_authorized")
    stage.stripe.close_dispute(dispute, won=False)
    stage.settle_down()
    assert Message.objects.filter(kind="payment_returned").count() == 1


def test_a_debit_taken_back_of_a_gift_whose_mandate_ended_is_not_said_to_go_on(stage: Stage) -> None:
    stage.join("month", amount="25", iban="DE89370400440532013000")
    stage.sleep(8)
    stage.stripe.revoke_mandate(Subscription.objects.get().stripe_payment_method_id)
    stage.settle_down()
    stage.stripe.dispute(Payment.objects.get().stripe_charge_id)
    stage.settle_down()
    letter = " ".join(Message.objects.get(kind="payment_returned").body_text.split())
    assert "goes on as before" not in letter
    assert "If you want your regular gift to end, the link below stops it." in letter
    assert "/stop/" in letter


def test_a_card_dispute_says_nothing_to_the_supporter(stage: Stage) -> None:
    payment = given(stage)
    dispute = stage.stripe.dispute(payment.stripe_payment_intent_id)
    stage.stripe.close_dispute(dispute["id"], won=False)
    stage.settle_down()
    assert Dispute.objects.get().status == "lost"
    assert not Message.objects.filter(kind="payment_returned").exists()


def test_told_before_the_gift_and_in_any_order(stage: Stage) -> None:
    checkout = stage.give("once", amount="25")
    stage.pay(checkout)
    dispute = stage.stripe.dispute(checkout.stripe_session_id)
    stage.stripe.close_dispute(dispute["id"], won=True)
    events = stage.stripe.outbox()
    for seed in range(4):
        for event in shuffled(events, seed):
            assert stage.post(event) == 200
        stage.work()
    assert sorted(lines()) == [("charge", 2500), ("dispute", -2500), ("dispute_returned", 2500)]
    assert Payment.objects.get().disputed_amount == 0
    balanced(stage)


def test_a_part_that_comes_back_is_a_line_of_that_part(stage: Stage) -> None:
    payment = given(stage)
    dispute = stage.stripe.dispute(payment.stripe_payment_intent_id)
    stage.settle_down()
    stage.stripe.return_part(dispute["id"], 1000)
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.disputed_amount == 1500
    assert lines() == [("charge", 2500), ("dispute", -2500), ("dispute_returned", 1000)]
    balanced(stage)
    stage.stripe.return_part(dispute["id"], 500)
    stage.settle_down()
    assert lines()[-2:] == [("dispute_returned", 1000), ("dispute_returned", 500)]
    balanced(stage)


def test_parts_that_came_back_unheard_are_a_line_each(stage: Stage) -> None:
    payment = given(stage)
    dispute = stage.stripe.dispute(payment.stripe_payment_intent_id)
    stage.stripe.return_part(dispute["id"], 1000)
    stage.stripe.return_part(dispute["id"], 500)
    stage.settle_down()
    assert lines()[1:] == [("dispute", -2500), ("dispute_returned", 1000), ("dispute_returned", 500)]
    balanced(stage)


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_a_fee_that_is_a_line_of_its_own_is_booked_beside_the_money(stage: Stage, currency: str) -> None:
    """Stripe lists it after the money or before it, and neither stands for the other."""
    stage.stripe.world.policy.dispute_fee_apart = True
    stage.join("once", amount="15", currency=currency)
    dispute = stage.stripe.dispute(Payment.objects.get().stripe_payment_intent_id)
    stage.settle_down()
    settled = LedgerEntry.objects.get(settles__kind="dispute")
    assert settled.settled_amount == {"EUR": -1500, "USD": -1380}[currency]
    stage.stripe.close_dispute(dispute["id"], won=True)
    stage.settle_down()
    compare(stage)
    fee = LedgerEntry.objects.get(kind="dispute_fee")
    assert (fee.payment, fee.amount, fee.settled_amount, fee.settled_currency) == (
        Payment.objects.get(),
        0,
        -1500,
        "EUR",
    )
    assert lines() == [("charge", 1500), ("dispute", -1500), ("dispute_returned", 1500)]
    assert not Difference.objects.exists()
    balanced(stage)
    totals = stage.books()["currencies"][currency]
    assert (totals if currency == "EUR" else totals["settled_elsewhere"]["EUR"])["fees"] >= 1500
    theirs = stage.stripe.snapshot()["eur"]["net"]
    assert (totals if currency == "EUR" else totals["settled_elsewhere"]["EUR"])["net"] == theirs


def test_a_fee_of_its_own_in_a_payout_is_no_missing_money(stage: Stage) -> None:
    stage.stripe.world.policy.dispute_fee_apart = True
    stage.join("once", amount="40", email="b@example.org")
    payment = Payment.objects.get()
    stage.stripe.dispute(payment.stripe_payment_intent_id, 1000)
    stage.settle_down()
    stage.advance(3)
    stage.stripe.payout()
    stage.advance(2)
    stage.settle_down()
    payout = Payout.objects.get()
    assert (payout.unexplained, payouts.holding(payout).missing) == (0, 0)
    assert payouts.show_missing() == 0


def test_a_dispute_of_more_than_was_given_is_booked_and_a_case(stage: Stage) -> None:
    payment = given(stage)
    stage.stripe.dispute(payment.stripe_payment_intent_id, amount=2600)
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.disputed_amount == 2600
    assert sorted(Case.objects.values_list("kind", flat=True)) == ["dispute", "taken_twice"]
    balanced(stage)


def test_a_dispute_in_another_currency_is_a_case_and_no_line(stage: Stage) -> None:
    payment = given(stage)
    dispute = stage.stripe.dispute(payment.stripe_payment_intent_id, amount=2900, currency="usd")
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.disputed_amount == 0
    assert lines() == [("charge", 2500)]
    case = Case.objects.get(kind="dispute_not_booked")
    assert case.facts["amount"] == [2900, "USD"]
    assert stage.books()["broken"] == []
    stage.stripe.close_dispute(dispute["id"], won=True)
    stage.settle_down()
    assert lines() == [("charge", 2500)]
    assert not StripeEvent.objects.exclude(state__in=["processed", "ignored"]).exists()
    assert stage.books()["broken"] == []

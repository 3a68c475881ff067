"""How much can be refunded, who is emailed about it, and refunds of money that comes after a stop."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from members import clock
from members.models import Message, TimelineEntry
from payments.books import ledger, refund_requests, refunds, settlements
from payments.errors import NothingToRefund, RefundOutOfRange, RefundUnderWay
from payments.models import Case, Payment, Refund, RefundRequest
from payments.reconciling import invariants
from payments.stripe_api import objects
from tests import factories

pytestmark = pytest.mark.django_db


def requested(payment: Payment, amount: int = 400, **values: object) -> RefundRequest:
    return refund_requests.record(payment, amount, "requested_by_customer", None, **values)  # type: ignore[arg-type]


def at_stripe(payment: Payment, amount: int = 400, status: str = "succeeded", **values: object) -> objects.Refund:
    """Return a refund as read from Stripe, made now."""
    ordinary = {
        "id": "re_1",
        "charge": payment.stripe_charge_id,
        "payment_intent": payment.stripe_payment_intent_id,
        "status": status,
        "amount": amount,
        "currency": payment.currency,
        "request": "",
        "reason": "",
        "failure_reason": "",
        "returned_at": None,
        "has_taken_money": True,
        "created_at": clock.now(),
    }
    return objects.Refund(**{**ordinary, **values})


def letters() -> list[Message]:
    return list(Message.objects.filter(kind="refund_done"))


# How much


def test_left_is_received_less_refunds_disputes_and_what_is_under_way() -> None:
    payment = factories.payment(amount=2500)
    assert refund_requests.left(payment) == 2500
    factories.refund(payment, 500)
    payment.disputed_amount = 300
    payment.save()
    request = requested(payment)
    assert refund_requests.left(payment) == 1300
    for state, left in (("accepted", 1300), ("seen", 1700), ("failed", 1700)):
        RefundRequest.objects.filter(pk=request.pk).update(state=state)
        assert refund_requests.left(payment) == left


@pytest.mark.parametrize("amount", [0, -1, 1001, 10**12])
def test_an_amount_out_of_range_is_refused_with_what_is_left(amount: int) -> None:
    with pytest.raises(RefundOutOfRange) as refused:
        requested(factories.payment(amount=1000), amount)
    assert refused.value.left == 1000
    assert not RefundRequest.objects.exists()
    assert not TimelineEntry.objects.exists()


def test_one_cent_and_all_of_it_are_in_range() -> None:
    for amount in (1, 1000):
        assert requested(factories.payment(amount=1000), amount).amount == amount


@pytest.mark.parametrize("status", ["failed", "processing"])
def test_what_has_not_come_cannot_go_back(status: str) -> None:
    with pytest.raises(NothingToRefund):
        requested(factories.payment(status=status))


def test_a_payment_outside_stripe_s_charges_cannot_be_sent_back_through_stripe() -> None:
    strange = factories.payment(stripe_payment_intent_id=None, stripe_charge_id=None, stripe_invoice_id="in_1")
    with pytest.raises(NothingToRefund):
        requested(strange)


def test_while_one_waits_for_an_answer_another_waits_too() -> None:
    payment = factories.payment()
    requested(payment)
    with pytest.raises(RefundUnderWay):
        requested(payment)


def test_the_same_wish_is_the_same_row_and_of_this_payment_only() -> None:
    payment, other, public_id = factories.payment(), factories.payment(), uuid.uuid4()
    first = requested(payment, public_id=public_id)
    assert requested(payment, public_id=public_id) == first
    assert requested(other, public_id=public_id).public_id != public_id


def test_what_stripe_is_asked_names_no_person() -> None:
    payment = factories.payment()
    request = requested(payment, sentence="Dear Olena, sorry.")
    assert request.stripe_params == {
        "payment_intent": payment.stripe_payment_intent_id,
        "amount": 400,
        "reason": "requested_by_customer",
        "metadata": {"hromada_refund_request": str(request.public_id)},
    }
    assert request.idempotency_key == f"refundrequest:{request.public_id}:1"


# Who is emailed


@pytest.mark.parametrize("tells", [True, False])
def test_a_refund_of_ours_is_told_as_its_request_says(tells: bool) -> None:
    payment = factories.payment()
    request = requested(payment, tells_supporter=tells, sentence="Sorry for that.")
    refunds.follow(at_stripe(payment, request=str(request.public_id)))
    refunds.follow(at_stripe(payment, request=str(request.public_id)))
    request.refresh_from_db()
    assert (request.state, request.stripe_refund_id) == ("seen", "re_1")
    assert [letter.context["sentence"] for letter in letters()] == (["Sorry for that."] if tells else [])


def test_one_made_at_stripe_is_told_too_without_a_sentence_of_ours() -> None:
    payment = factories.payment()
    request = requested(payment)
    refunds.follow(at_stripe(payment, request=""))
    request.refresh_from_db()
    assert request.state == "requested", "somebody else's refund does not answer our request"
    (letter,) = letters()
    assert (letter.key, letter.context["back_amount"], letter.context["sentence"]) == ("refund_done:re_1", 400, "")


@pytest.mark.parametrize("name", ["nonsense", "a73ea2a4-b717-4406-9c9b-7df63f6a2e60"])
def test_metadata_of_somebody_else_changes_nothing(name: str) -> None:
    payment = factories.payment()
    assert refunds.follow(at_stripe(payment, request=name)).amount == 400
    assert len(letters()) == 1


def test_a_request_of_another_payment_is_not_answered() -> None:
    request = requested(factories.payment())
    refunds.follow(at_stripe(factories.payment(), request=str(request.public_id)))
    request.refresh_from_db()
    assert request.state == "requested"


def test_each_refund_has_a_letter_of_its_own() -> None:
    payment = factories.payment()
    for number in (1, 2):
        refunds.follow(at_stripe(payment, id=f"re_{number}"))
    assert sorted(letter.key for letter in letters()) == ["refund_done:re_1", "refund_done:re_2"]


def test_one_that_failed_at_once_is_not_told_but_shown_to_staff() -> None:
    payment = factories.payment()
    refunds.follow(at_stripe(payment, status="failed", failure_reason="expired_or_canceled_card"))
    assert letters() == []
    case = Case.objects.get()
    assert (case.kind, case.supporter) == ("refund_failed", payment.supporter)
    assert case.facts["refund"] == Refund.objects.get().pk


def test_one_that_fails_later_is_a_case_once() -> None:
    payment = factories.payment()
    refunds.follow(at_stripe(payment))
    for _ in range(2):
        refunds.follow(at_stripe(payment, status="failed"))
    assert len(letters()) == 1
    assert Case.objects.get().kind == "refund_failed"
    payment.refresh_from_db()
    assert payment.refunded_amount == 0


def test_one_that_waits_for_the_supporter_is_told_when_it_leaves() -> None:
    payment = factories.payment()
    refunds.follow(at_stripe(payment, status="requires_action", has_taken_money=False))
    assert letters() == []
    refunds.follow(at_stripe(payment, status="succeeded"))
    assert len(letters()) == 1


def test_an_old_one_that_we_hear_of_late_is_not_on_its_way() -> None:
    refunds.follow(at_stripe(factories.payment(), created_at=clock.now() - timedelta(days=11)))
    assert letters() == []
    assert Refund.objects.exists()


def test_refunds_known_before_there_were_letters_are_not_told() -> None:
    payment = factories.payment()
    known = factories.refund(payment, 400)
    refunds.follow(at_stripe(payment, id=known.stripe_refund_id))
    assert letters() == []


# One that waits for money in Stripe's balance


def waiting(payment: Payment, status: str = "pending", **values: object) -> objects.Refund:
    """Return a refund as Stripe documents it before its balance has the money: without a balance transaction."""
    ordinary = {
        "id": "re_1",
        "payment_intent": payment.stripe_payment_intent_id,
        "status": status,
        "amount": 400,
        "currency": "eur",
        "balance_transaction": None,
        "created": int(clock.now().timestamp()),
    }
    return objects.refund({**ordinary, **values})


@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_one_that_ends_before_the_balance_had_its_money_leaves_the_books_whole(end: str) -> None:
    payment = factories.payment()
    ledger.write_received_lines([payment])
    refunds.follow(waiting(payment))
    assert (len(letters()), invariants.broken()) == (1, [])
    for _ in range(2):
        refunds.follow(waiting(payment, end))
    payment.refresh_from_db()
    assert payment.refunded_amount == 0
    assert invariants.broken() == []
    lines = list(payment.ledger_entries.order_by("pk").values_list("source", "amount"))
    assert lines[1:] == [("refund:re_1", -400), ("refund_called_off:re_1", 400)]
    assert [line.kind for line in settlements.unsettled()] == ["charge"], "Stripe settles neither of the two"
    case = Case.objects.get()
    assert (case.kind, case.supporter) == ("refund_failed", payment.supporter)


def test_one_that_leaves_the_balance_later_is_settled_like_any_other() -> None:
    payment = factories.payment()
    refunds.follow(waiting(payment))
    refunds.follow(waiting(payment, "succeeded", balance_transaction="txn_1"))
    refunds.follow(waiting(payment, "failed", balance_transaction="txn_1"))
    assert {line.source for line in settlements.unsettled()} == {"refund:re_1", "refund_returned:re_1"}


def test_one_called_off_that_nobody_was_told_of_is_no_case() -> None:
    payment = factories.payment()
    request = requested(payment, tells_supporter=False)
    metadata = {"hromada_refund_request": str(request.public_id)}
    for status in ("pending", "canceled"):
        refunds.follow(waiting(payment, status, metadata=metadata))
    assert (letters(), list(Case.objects.all())) == ([], [])


# Money that came after a stop


def renewal(**stop: object) -> tuple[Payment, RefundRequest | None]:
    """Make a renewal charged an hour after a stop request (values in `stop`); return it and its refund request."""
    agreed = factories.subscription(**stop.pop("subscription", {}))  # type: ignore[arg-type]
    now = clock.now()
    ordinary = {"kind": "stop", "surface": "mail", "requested_at": now - timedelta(hours=1)}
    agreed.changes.create(**{**ordinary, **stop})
    payment = factories.payment(agreed.supporter, subscription=agreed, frequency="month")
    return payment, refund_requests.refund_if_unwanted(payment, agreed, now)


@pytest.mark.parametrize("state", ["requested", "accepted"])
def test_a_renewal_charged_after_the_stop_is_owed_back(state: str) -> None:
    payment, request = renewal(state=state)
    assert request is not None
    assert (request.amount, request.reason, request.state) == (payment.amount, "requested_by_customer", "requested")
    assert request.tells_supporter
    assert "You had asked us to stop" in request.sentence
    assert refund_requests.refund_if_unwanted(payment, payment.subscription, clock.now()) is None  # type: ignore[arg-type]
    assert RefundRequest.objects.count() == 1


def test_a_renewal_charged_before_the_stop_is_not() -> None:
    assert renewal(requested_at=clock.now() + timedelta(seconds=2))[1] is None


def test_a_stop_that_stripe_refused_does_not_count() -> None:
    assert renewal(state="failed")[1] is None


def test_a_stop_that_was_seen_counts_while_it_stands() -> None:
    assert renewal(state="seen", subscription={"cancel_at_period_end": True})[1] is not None
    assert renewal(state="seen", subscription={"status": "canceled"})[1] is not None


def test_a_stop_that_was_taken_back_at_stripe_does_not_count() -> None:
    assert renewal(state="seen")[1] is None

"""Objects as Stripe may send them, with the fields left out that may be: they are read, whoever made them."""

from __future__ import annotations

from typing import Any

from payments.stripe_api import objects


def dispute(**given: Any) -> dict[str, Any]:
    plain = {"id": "du_1", "charge": "ch_1", "status": "lost", "amount": 4000, "currency": "eur", "created": 100}
    return {**plain, "balance_transactions": [], **given}


def moved(amount: int, at: int, rate: float | None = None, category: str = "dispute") -> dict[str, Any]:
    line = {"id": f"txn_{at}", "amount": amount, "currency": "eur", "created": at, "exchange_rate": rate}
    return {**line, "reporting_category": category}


def test_a_dispute_that_cannot_be_answered_has_no_day() -> None:
    assert objects.dispute(dispute(evidence_details={"due_by": 0})).respond_by is None
    assert objects.dispute(dispute(evidence_details={"due_by": 500})).respond_by is not None


def test_what_came_back_of_a_dispute_is_its_share_in_the_dispute_s_currency() -> None:
    assert objects.dispute(dispute()).taken == 0
    assert back(moved(-4000, 1), moved(4000, 2)) == ([4000], 0)
    assert back(moved(-4000, 1), moved(1500, 2), moved(500, 3)) == ([1500, 2000], 2000)
    assert back(moved(-8000, 1), moved(2000, 2)) == ([1000], 3000)


def test_what_came_back_at_another_rate_is_whole_all_the_same() -> None:
    assert back(moved(-3680, 1, rate=0.92), moved(3560, 2, rate=0.89)) == ([4000], 0)
    assert back(moved(-3680, 1, rate=0.92), moved(3843, 2, rate=0.9608)) == ([4000], 0), "to the cent of our balance"
    assert back(moved(-3680, 1, rate=0.92), moved(1780, 2, rate=0.89)) == ([2000], 2000)


def test_the_fee_of_a_dispute_is_no_money_that_was_disputed() -> None:
    """Stripe names it among the dispute's balance transactions, or not."""
    assert back(moved(-4000, 1), moved(-1500, 1, category="fee"), moved(1500, 2, category="fee")) == ([], 4000)
    assert back(moved(-1500, 1, category="fee")) == ([], 0)


def back(*lines: dict[str, Any]) -> tuple[list[int], int]:
    """Return what came back of a dispute of 4000, summed up, and what is taken."""
    found = objects.dispute(dispute(balance_transactions=list(lines)))
    return [part.sum for part in found.parts], found.taken


def test_a_refund_whose_status_stripe_leaves_out_is_done_once_it_has_taken_money() -> None:
    raw = {"id": "re_1", "charge": None, "payment_intent": None, "status": None, "amount": 5, "currency": "eur"}
    waiting = objects.refund({**raw, "created": 100, "balance_transaction": None})
    assert (waiting.status, waiting.has_taken_money) == ("", False)
    done = objects.refund({**raw, "created": 100, "balance_transaction": "txn_1"})
    assert (done.status, done.has_taken_money) == ("succeeded", True)


def test_a_session_that_only_saves_a_card_has_no_sum() -> None:
    raw = {"id": "cs_1", "created": 100, "mode": "setup", "status": "complete", "currency": None, "amount_total": None}
    session = objects.session({**raw, "payment_status": "no_payment_required"})
    assert (session.amount, session.currency, session.led_to_money) == (0, "", False)

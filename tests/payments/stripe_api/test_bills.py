"""What an invoice billed for the gift, what it had to take, and which of its payments paid it."""

from __future__ import annotations

from typing import Any

from payments.stripe_api.billing import bills

DAY = 86_400


def line(
    amount: int, days: int = 31, *, proration: bool = False, by_hand: bool = False, off: int = 0
) -> dict[str, Any]:
    details = {"proration": proration}
    parent = {"invoice_item_details": details if by_hand else None}
    return {
        "amount": amount,
        "discount_amounts": [{"amount": off, "discount": "di_1"}] if off else [],
        "parent": {**parent, "subscription_item_details": None if by_hand else details},
        "period": {"start": 0, "end": days * DAY},
    }


def invoice(*lines: dict[str, Any], **given: Any) -> dict[str, Any]:
    total = sum(each["amount"] for each in lines)
    return {"lines": {"data": list(lines)}, "total": total, "starting_balance": 0, "ending_balance": None, **given}


def payment(id: str, status: str, amount: int | None = None, *, is_default: bool = False) -> dict[str, Any]:
    return {"id": id, "status": status, "amount_paid": amount, "is_default": is_default}


def test_the_price_per_month_by_the_period_of_each_line() -> None:
    assert bills.monthly(invoice(line(1000, 28))) == 1000
    assert bills.monthly(invoice(line(12000, 365))) == 1000
    assert bills.monthly(invoice(line(12000, 366))) == 1000
    assert bills.monthly(invoice(line(3000, 92))) == 1000
    assert bills.monthly(invoice(line(300, 7))) == 1304
    assert bills.monthly(invoice(line(1000), line(12000, 365))) == 2000
    assert bills.monthly(invoice()) == 0


def test_what_is_billed_beside_the_price_does_not_count() -> None:
    by_hand = [line(500, by_hand=True, proration=True), line(99, by_hand=True)]
    raw = invoice(line(1000), line(-300, proration=True), *by_hand)
    assert bills.monthly(raw) == 1000
    assert bills.due(raw) == 1299
    assert not bills.has_price(invoice(line(500, proration=True)))
    assert not bills.has_price(invoice(line(0)))


def test_a_discount_lowers_the_price_and_is_a_period_all_the_same() -> None:
    raw = invoice(line(1000, off=1000), total=0)
    assert bills.monthly(raw) == 0
    assert bills.has_price(raw)


def test_credit_and_debt_change_what_is_taken() -> None:
    assert bills.due(invoice(line(1000))) == 1000
    assert bills.due(invoice(line(1000), starting_balance=-400, ending_balance=0)) == 600
    assert bills.due(invoice(line(1000), starting_balance=-5000, ending_balance=-4000)) == 0
    assert bills.due(invoice(line(1000), starting_balance=30, ending_balance=0)) == 1030
    assert bills.due(invoice(line(30), starting_balance=0, ending_balance=30)) == 0
    assert bills.due(invoice(line(1000), pre_payment_credit_notes_amount=200)) == 800


def test_the_payment_that_paid_counts() -> None:
    default, other = payment("inpay_1", "canceled", is_default=True), payment("inpay_2", "paid", 1000)
    assert bills.payment(invoice(payments={"data": [default, other]}))["id"] == "inpay_2"
    small = payment("inpay_3", "paid", 100, is_default=True)
    raw = invoice(payments={"data": [small, other]})
    assert bills.payment(raw)["id"] == "inpay_2"
    assert len(bills.payments_that_paid(raw)) == 2


def test_while_nothing_has_paid_the_default_one_counts_unless_it_was_canceled() -> None:
    first, second = payment("inpay_1", "open"), payment("inpay_2", "open", is_default=True)
    assert bills.payment(invoice(payments={"data": [first, second]}))["id"] == "inpay_2"
    gone = payment("inpay_2", "canceled", is_default=True)
    assert bills.payment(invoice(payments={"data": [gone, first]}))["id"] == "inpay_1"
    assert bills.payment(invoice(payments={"data": [gone]}))["id"] == "inpay_2"
    assert bills.payment(invoice()) == {}

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


def payment(
    id: str, status: str, amount: int | None = None, *, is_default: bool = False, kind: str = "charge"
) -> dict[str, Any]:
    paying = {"type": kind, kind: id.replace("inpay", "of")}
    given = {"amount_paid": amount, "is_default": is_default, "created": 0}
    return {"id": id, "status": status, "payment": paying, **given}


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


def paid(*payments: dict[str, Any], amount: int = 1000) -> dict[str, Any]:
    return invoice(status="paid", amount_paid=amount, amount_due=1000, payments={"data": list(payments)})


def test_the_payment_that_paid_counts() -> None:
    default, other = payment("inpay_1", "canceled", is_default=True), payment("inpay_2", "paid", 1000)
    raw = paid(default, other)
    assert (bills.payment(raw)["id"], bills.parts(raw), bills.amount(raw)) == ("inpay_2", (), 1000)


def test_of_several_that_paid_the_default_one_counts_then_the_largest_and_the_others_are_parts() -> None:
    default, other = payment("inpay_1", "paid", 100, is_default=True), payment("inpay_2", "paid", 900)
    raw = paid(other, default)
    assert (bills.payment(raw)["id"], bills.amount(raw)) == ("inpay_1", 100)
    assert [(part.charge, part.amount) for part in bills.parts(raw)] == [("of_2", 900)]
    raw = paid(payment("inpay_3", "paid", 100), other)
    assert (bills.payment(raw)["id"], bills.amount(raw)) == ("inpay_2", 900)


def test_what_was_paid_outside_stripe_is_no_part() -> None:
    outside, other = payment("inpay_1", "paid", 300, kind="payment_record"), payment("inpay_2", "paid", 700)
    raw = paid(other, outside)
    assert (bills.payment(raw)["id"], bills.charge_of(outside["payment"]), bills.amount(raw)) == ("inpay_1", "", 300)
    assert [part.charge for part in bills.parts(raw)] == ["of_2"]
    assert bills.amount(paid(amount=0)) == 1000


def test_of_an_open_invoice_the_rest_is_due() -> None:
    default, part = payment("inpay_1", "open", is_default=True), payment("inpay_2", "paid", 400)
    raw = {**paid(part, default, amount=400), "status": "open"}
    assert (bills.payment(raw)["id"], bills.amount(raw)) == ("inpay_1", 600)
    assert [each.amount for each in bills.parts(raw)] == [400]


def test_while_nothing_has_paid_the_default_one_counts_unless_it_was_canceled() -> None:
    first, second = payment("inpay_1", "open"), payment("inpay_2", "open", is_default=True)
    assert bills.payment(invoice(payments={"data": [first, second]}))["id"] == "inpay_2"
    gone = payment("inpay_2", "canceled", is_default=True)
    assert bills.payment(invoice(payments={"data": [gone, first]}))["id"] == "inpay_1"
    assert bills.payment(invoice(payments={"data": [gone]}))["id"] == "inpay_2"
    assert bills.payment(invoice()) == {}

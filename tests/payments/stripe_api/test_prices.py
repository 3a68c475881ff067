"""What a subscription charges and how often, from every shape that its items can have at Stripe."""

from __future__ import annotations

from typing import Any

import pytest

from payments.stripe_api.billing import prices


def item(amount: int | None = 1000, interval: str = "month", count: int = 1, **given: Any) -> dict[str, Any]:
    price = {
        "currency": "eur",
        "product": "prod_1",
        "unit_amount": amount,
        "recurring": {"interval": interval, "interval_count": count, "usage_type": "licensed"},
        **given.pop("price", {}),
    }
    return {"id": "si_1", "price": price, "quantity": 1, "current_period_end": 200, "discounts": [], **given}


def subscription(*items: dict[str, Any], **given: Any) -> dict[str, Any]:
    plain = {"currency": "eur", "collection_method": "charge_automatically", "start_date": 100, "discounts": []}
    return {**plain, "items": {"data": list(items), "has_more": False}, **given}


def test_a_gift_of_our_forms_is_not_unusual() -> None:
    found = prices.terms(subscription(item()))
    assert found == prices.Terms(1000, "month", 1, "si_1", "prod_1", ())


@pytest.mark.parametrize(
    ("raw", "amount", "unusual"),
    [
        (subscription(item(), item(500)), 1500, {"items"}),
        (subscription(item(quantity=3)), 3000, {"quantity"}),
        (subscription(item(quantity=0)), 0, {"quantity"}),
        (subscription(item(quantity=None)), 1000, set()),
        (subscription(item(None)), 0, {"price"}),
        (subscription(item(price={"transform_quantity": {"divide_by": 10, "round": "up"}})), 0, {"price"}),
        (subscription(item(price={"recurring": {"interval": "month", "usage_type": "metered"}})), 0, {"price"}),
        (subscription(item(price={"recurring": None})), 0, {"rhythm"}),
        (subscription(item(count=3)), 1000, {"rhythm"}),
        (subscription(item(interval="week")), 1000, {"rhythm"}),
        (subscription(item(count=12)), 1000, set()),
        (subscription(item(), item(interval="year")), 0, {"items", "rhythm"}),
        (subscription(item(), discounts=["di_1"]), 0, {"discount"}),
        (subscription(item(discounts=["di_1"])), 0, {"discount"}),
        (subscription(item(), customer={"id": "cus_1", "discount": {"id": "di_1"}}), 0, {"discount"}),
        (subscription(item(), automatic_tax={"enabled": True}), 0, {"tax"}),
        (subscription(item(), default_tax_rates=["txr_1"]), 0, {"tax"}),
        (subscription(item(), schedule="sub_sched_1"), 1000, {"planned"}),
        (subscription(item(), pending_update={"expires_at": 1}), 1000, {"planned"}),
        (subscription(item(), collection_method="send_invoice"), 1000, {"bill"}),
        (subscription(), 0, {"items", "price", "rhythm"}),
    ],
)
def test_what_our_forms_would_not_have_made_is_named_and_counted_if_it_can_be(
    raw: dict[str, Any], amount: int, unusual: set[str]
) -> None:
    found = prices.terms(raw)
    assert (found.amount, set(found.unusual)) == (amount, unusual)


def test_a_price_in_another_currency_is_not_counted() -> None:
    """A price with several currencies names the amount of its first one."""
    found = prices.terms(subscription(item(), currency="uah"))
    assert (found.amount, found.unusual) == (0, ("price",))


def test_the_next_payment_is_at_the_earliest_end_of_a_period() -> None:
    raw = subscription(item(current_period_end=900), item(current_period_end=300))
    assert prices.period_end(raw) == 300
    assert prices.period_end(subscription()) == 100

"""Read from a subscription how much it charges, and how often: its items, prices and discounts.

Staff can agree on much more in Stripe's dashboard than our forms offer. The amount is counted where it can be, and is 0
where Stripe works it out at each billing (docs/decisions/0027). Called by objects.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payments import rhythms
from payments.stripe_api.fields import id_of

Raw = Mapping[str, Any]

# Why a gift is not one of those that our forms make; shown to staff (desk/tables/cases.py).
ITEMS, QUANTITY, PRICE, RHYTHM = "items", "quantity", "price", "rhythm"
DISCOUNT, TAX, PLANNED, BILL = "discount", "tax", "planned", "bill"
# With these, what the next invoice comes to cannot be counted from the subscription.
UNCOUNTABLE = frozenset([PRICE, DISCOUNT, TAX])


@dataclass(frozen=True)
class Terms:
    """The terms of a subscription. `amount` is per `interval_count` intervals, in minor units; 0 if it is not known.

    `interval` is "" for items of different rhythms. `item` and `product` are those of the first item. `unusual` says
    why our forms would not have made it; empty for a gift as they make it.
    """

    amount: int
    interval: str
    interval_count: int
    item: str
    product: str
    unusual: tuple[str, ...]


def terms(raw: Raw) -> Terms:
    listed = raw.get("items") or {}
    items: list[Raw] = list(listed.get("data") or [])
    interval, count = _common_rhythm(items)
    found = {
        ITEMS: len(items) != 1 or bool(listed.get("has_more")),
        QUANTITY: any(item.get("quantity") not in (None, 1) for item in items),
        PRICE: not items or bool(listed.get("has_more")) or not all(_is_countable(raw, item) for item in items),
        RHYTHM: rhythms.frequency(interval, count) == rhythms.OTHER,
        DISCOUNT: _is_discounted(raw, items),
        TAX: _is_taxed(raw, items),
        PLANNED: bool(raw.get("schedule") or raw.get("pending_update")),
        BILL: raw.get("collection_method") == "send_invoice",
    }
    unusual = tuple(name for name, is_so in found.items() if is_so)
    is_counted = bool(interval) and not UNCOUNTABLE.intersection(unusual)
    first = items[0] if items else {}
    return Terms(
        amount=sum(_price(item)["unit_amount"] * _quantity(item) for item in items) if is_counted else 0,
        interval=interval,
        interval_count=count,
        item=str(first.get("id") or ""),
        product=id_of(_price(first).get("product")),
        unusual=unusual,
    )


def period_end(raw: Raw) -> int:
    """Return when Stripe bills next, as a Unix time: the earliest end of an item's period.

    Items may have periods of their own (docs.stripe.com/changelog/basil/2025-07-30/support-mixed-intervals).
    """
    ends = [item["current_period_end"] for item in (raw.get("items") or {}).get("data") or []]
    return min((end for end in ends if end), default=raw.get("trial_end") or raw["start_date"])


def owes_or_has_credit(raw: Raw) -> bool:
    """Return whether the customer's balance at Stripe will change the next invoice; False if it is not expanded."""
    customer = raw.get("customer")
    return bool(isinstance(customer, Mapping) and customer.get("balance"))


def _common_rhythm(items: list[Raw]) -> tuple[str, int]:
    """Return the interval and count that all items have; ("", 1) if they differ, or if a price does not recur."""
    found = {_rhythm(item) for item in items}
    return found.pop() if len(found) == 1 else ("", 1)


def _rhythm(item: Raw) -> tuple[str, int]:
    recurring = _price(item).get("recurring") or {}
    return str(recurring.get("interval") or ""), int(recurring.get("interval_count") or 1)


def _is_countable(raw: Raw, item: Raw) -> bool:
    """Return whether an item costs its price times its quantity, in the currency of the subscription.

    Not so for tiers, metered use, packages, fractions of a cent, and a price's amount for another currency.
    """
    price = _price(item)
    is_plain = isinstance(price.get("unit_amount"), int) and not price.get("transform_quantity")
    is_metered = (price.get("recurring") or {}).get("usage_type") == "metered"
    return is_plain and not is_metered and price.get("currency") == raw.get("currency", price.get("currency"))


def _is_discounted(raw: Raw, items: list[Raw]) -> bool:
    customer = raw.get("customer")
    of_customer = isinstance(customer, Mapping) and customer.get("discount")
    return bool(raw.get("discounts") or of_customer or any(item.get("discounts") for item in items))


def _is_taxed(raw: Raw, items: list[Raw]) -> bool:
    is_automatic = bool((raw.get("automatic_tax") or {}).get("enabled"))
    return is_automatic or bool(raw.get("default_tax_rates")) or any(item.get("tax_rates") for item in items)


def _price(item: Raw) -> Raw:
    return item.get("price") or {}


def _quantity(item: Raw) -> int:
    """Return how many are charged; Stripe leaves it out for some prices, where it means one."""
    quantity = item.get("quantity")
    return 1 if quantity is None else int(quantity)

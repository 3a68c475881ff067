"""Read from an invoice the price of its period, what else is in its total, and which payment paid it.

Lines keep the price; discounts, taxes, prorations and the customer's credit are in the totals. Called by objects.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Raw = Mapping[str, Any]

DAY = 86_400
# Days of the average month, in hundredths.
MONTH_HUNDREDTHS = 3_044


def has_price(raw: Raw) -> bool:
    """Return whether this invoice bills a period of the gift, also if credit or a discount leaves nothing to pay.

    Not so for the time before a billing day that was moved, and for a change in the middle of a period.
    """
    return any(line["amount"] > 0 for line in _of_gift(raw))


def monthly(raw: Raw) -> int:
    """Return what the gift itself cost per month on this invoice, in minor units, by the period of each line.

    After discounts, without prorations and without what staff added by hand.
    """
    return sum(_per_month(_discounted(line), line["period"]["end"] - line["period"]["start"]) for line in _of_gift(raw))


def due(raw: Raw) -> int:
    """Return what Stripe had to take for this invoice, in minor units: its total, less credit, plus an earlier debt.

    Never below zero. https://docs.stripe.com/billing/customer/balance
    """
    starting, ending = raw.get("starting_balance") or 0, raw.get("ending_balance")
    from_balance = 0 if ending is None else starting - ending
    return max(0, int(raw["total"]) + from_balance - int(raw.get("pre_payment_credit_notes_amount") or 0))


def period_end(raw: Raw) -> int:
    """Return the end of the time that an invoice pays for, as a Unix time: the latest end of its lines."""
    return max((line["period"]["end"] for line in _lines(raw)), default=raw["period_end"])


def payments_that_paid(raw: Raw) -> list[Raw]:
    """Return the payments that paid this invoice, the largest first; [] if none did, or if they are not expanded."""
    paid = [row for row in _payments(raw) if row.get("status") == "paid"]
    return sorted(paid, key=lambda row: -(row.get("amount_paid") or 0))


def payment(raw: Raw) -> Raw:
    """Return the payment that counts for this invoice; {} without any.

    The one that paid it, else the default one unless it was canceled, else the newest that is open.
    https://docs.stripe.com/api/invoice-payment/object (is_default, status)
    """
    rows = _payments(raw)
    still = [row for row in rows if row.get("status") != "canceled"]
    default = next((row for row in still if row.get("is_default")), None)
    return next(iter(payments_that_paid(raw)), None) or default or next(iter([*still, *rows]), {})


def _payments(raw: Raw) -> list[Raw]:
    return list((raw.get("payments") or {}).get("data") or [])


def _lines(raw: Raw) -> list[Raw]:
    return list((raw.get("lines") or {}).get("data") or [])


def _of_gift(raw: Raw) -> list[Raw]:
    """Return the lines of the subscription's items, without prorations for a change in the middle of a period.

    A proration is marked in the parent of its line, which is a subscription's item or an invoice's item.
    """
    found = [(line, (line.get("parent") or {}).get("subscription_item_details")) for line in _lines(raw)]
    return [line for line, item in found if item and not item.get("proration")]


def _discounted(line: Raw) -> int:
    return int(line["amount"]) - sum(int(off["amount"]) for off in line.get("discount_amounts") or [])


def _per_month(amount: int, seconds: int) -> int:
    """Return an amount per month, for a period of this length; whole months and years are counted as such."""
    days = max(round(seconds / DAY), 1)
    months = round(days * 100 / MONTH_HUNDREDTHS)
    if months and abs(days * 100 - months * MONTH_HUNDREDTHS) <= 350:
        return amount // months
    return amount * MONTH_HUNDREDTHS // (days * 100)

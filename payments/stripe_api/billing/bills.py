"""Read from an invoice the price of its period, what else is in its total, and which payment paid it.

Lines keep the price; discounts, taxes, prorations and the customer's credit are in the totals. Called by objects.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payments.stripe_api.fields import id_of
from payments.stripe_api.fields import moment as moment_of

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A payment of its own that paid a part of an invoice. `payment_intent` is "" for a charge made without one."""

    payment_intent: str
    charge: str
    amount: int
    paid_at: datetime


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


def payment(raw: Raw) -> Raw:
    """Return the payment that counts for this invoice; {} without any.

    If it is paid: what was paid outside Stripe, else the default one, else the largest that paid. Before that, the
    default one unless it was canceled, else the newest that is open.
    https://docs.stripe.com/api/invoice-payment/object (is_default, status)
    """
    if raw.get("status") == "paid" and (paid := _that_paid(raw)):
        return min(paid, key=lambda row: (not is_outside(row), not row.get("is_default"), -(row["amount_paid"] or 0)))
    rows = [row for row in _payments(raw) if row.get("status") != "paid"]
    still = [row for row in rows if row.get("status") != "canceled"]
    return next((row for row in still if row.get("is_default")), None) or next(iter([*still, *rows]), {})


def parts(raw: Raw) -> tuple[Part, ...]:
    """Return the payments at Stripe that paid a part of this invoice beside the one that counts for it.

    Staff can charge any part of an open invoice. https://docs.stripe.com/invoicing/partial-payments
    """
    counts = payment(raw)
    return tuple(_part(row) for row in _that_paid(raw) if row is not counts and not is_outside(row))


def amount(raw: Raw) -> int:
    """Return what its own payment took, or what is left to take, in minor units; the parts are left out.

    Stripe took nothing for an invoice that was paid outside of it: what was due counts.
    """
    is_paid, others = raw.get("status") == "paid", sum(part.amount for part in parts(raw))
    if is_paid and others:
        return int(payment(raw)["amount_paid"] or 0)
    return int((is_paid and raw["amount_paid"]) or raw["amount_due"]) - others


def charge_of(paying: Raw) -> str:
    """Return the id of the charge by which an invoice was paid; "" without one that succeeded."""
    intent = paying.get("payment_intent")
    if isinstance(intent, Mapping):
        return id_of(intent.get("latest_charge")) if intent["status"] == "succeeded" else ""
    return id_of(paying.get("charge"))


def is_outside(row: Raw) -> bool:
    """Return whether a payment of an invoice was made outside Stripe, so that no charge of theirs brought it."""
    return (row.get("payment") or {}).get("type") == "payment_record"


def _part(row: Raw) -> Part:
    paying, moment = row["payment"], (row.get("status_transitions") or {}).get("paid_at") or row["created"]
    return Part(id_of(paying.get("payment_intent")), charge_of(paying), row["amount_paid"] or 0, moment_of(moment))


def _that_paid(raw: Raw) -> list[Raw]:
    return [row for row in _payments(raw) if row.get("status") == "paid"]


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

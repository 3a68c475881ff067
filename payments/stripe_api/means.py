"""What a gift is paid from, in Stripe's shapes: a card or an account in a few words, its end, whether it is there.

And when its money came. The part of objects.py that is about methods; called by it alone.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Any


def method(details: Any) -> str:
    """A payment method as a person knows it, such as "Visa 4242". Never more than a brand and four digits."""
    if not isinstance(details, Mapping):
        return ""
    kind = str(details.get("type") or "")
    inner = details.get(kind) or {}
    if kind == "card":
        return f"{str(inner.get('brand') or 'card').title()} {inner.get('last4') or ''}".strip()
    if kind == "sepa_debit":
        return f"SEPA {inner.get('last4') or ''}".strip()
    return kind.replace("_", " ").title()


# What a bank answers days after it was ordered, as Stripe names it.
DEBITS = frozenset(["acss_debit", "au_becs_debit", "bacs_debit", "nz_bank_account", "sepa_debit", "us_bank_account"])


def came_at(charge: Mapping[str, Any]) -> int | None:
    """When a charge's money came: at once; a debit's at the latest on the day Stripe lets it be used.

    A debit's charge and its line in the balance are made when it is ordered, days before. The moment in which the bank
    said yes is in no field of either, only on the events that tell of it (webhooks/handlers/giving.py).
    """
    line = charge.get("balance_transaction")
    if isinstance(line, Mapping) and (charge.get("payment_method_details") or {}).get("type") in DEBITS:
        return line["available_on"]
    return charge.get("created")


def lacks_method(method: Any, customer: Any) -> bool:
    """Whether nothing is there to be paid from, as far as method and customer were read with the subscription."""
    if isinstance(method, Mapping):
        return not method.get("customer")
    if method or not isinstance(customer, Mapping):
        return False
    settings = customer.get("invoice_settings") or {}
    return not (settings.get("default_payment_method") or customer.get("default_source"))


def card_expiry(method: Any) -> date | None:
    """The last day on which a card can be charged."""
    card = method.get("card") if isinstance(method, Mapping) else None
    if not card or not card.get("exp_year"):
        return None
    year, month = card["exp_year"], card["exp_month"]
    return date(year, month, monthrange(year, month)[1])

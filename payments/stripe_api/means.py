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


def came_at(charge: Mapping[str, Any]) -> int | None:
    """When a charge's money came: at once by card; a debit's on the day its line stands in Stripe's balance.

    A debit's charge is made when it is ordered, days before; that it has come since is told by no field of it.
    """
    line = charge.get("balance_transaction")
    if isinstance(line, Mapping) and (charge.get("payment_method_details") or {}).get("type") != "card":
        return line["created"]
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

"""Payment methods in Stripe's objects: a card or account in a few words, its expiry, whether one is missing.

Also when a charge's money arrived. Called by objects.py only.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Any


def method(details: Any) -> str:
    """Return a payment method in words, such as "Visa 4242", "SEPA 3000" or "PayPal"; "" if `details` is not expanded.

    Never more than a brand and four digits. A debit begins with one of models.DEBITS.
    """
    if not isinstance(details, Mapping):
        return ""
    kind = str(details.get("type") or "")
    inner = details.get(kind) or {}
    if kind == "card":
        return f"{_words(inner.get('brand') or 'card')} {inner.get('last4') or ''}".strip()
    if kind in DEBITS:
        return f"{DEBITS[kind]} {inner.get('last4') or ''}".strip()
    return BRANDS.get(kind) or _words(kind)


def _words(name: str) -> str:
    return name.replace("_", " ").title()


# Stripe's names of the payment methods whose bank answers days after the order and may take the money back weeks later,
# and the names of their schemes.
DEBITS = {
    "acss_debit": "PAD",
    "au_becs_debit": "BECS",
    "bacs_debit": "Bacs",
    "nz_bank_account": "NZ BECS",
    "sepa_debit": "SEPA",
    "us_bank_account": "ACH",
}
BRANDS = {
    "blik": "BLIK",
    "customer_balance": "Bank transfer",
    "eps": "EPS",
    "ideal": "iDEAL",
    "mb_way": "MB WAY",
    "p24": "Przelewy24",
    "paypal": "PayPal",
    "twint": "TWINT",
}


def came_at(charge: Mapping[str, Any]) -> int | None:
    """Return when a charge's money arrived, as a Unix time: when it was made, or for a debit when it becomes available.

    A debit's charge and balance transaction are made when it is ordered, days before the bank's answer. Neither has
    the time of the answer; only the events do (webhooks/handlers/giving.py). None for an empty charge.
    """
    line = charge.get("balance_transaction")
    if isinstance(line, Mapping) and (charge.get("payment_method_details") or {}).get("type") in DEBITS:
        return line["available_on"]
    return charge.get("created")


def lacks_method(method: Any, customer: Any) -> bool:
    """Return whether a subscription has no payment method left: its own was detached, or there is none at all.

    `method` and `customer` are the subscription's, expanded; what is not expanded counts as present.
    """
    if isinstance(method, Mapping):
        return not method.get("customer")
    if method or not isinstance(customer, Mapping):
        return False
    settings = customer.get("invoice_settings") or {}
    return not (settings.get("default_payment_method") or customer.get("default_source"))


def of_customer(customer: Any) -> Any:
    """Return a customer's default method for invoices, an id or expanded, or None; None if they are not expanded.

    It is charged where a subscription has no default of its own (stripe.Subscription.default_payment_method).
    """
    settings = customer.get("invoice_settings") if isinstance(customer, Mapping) else None
    return (settings or {}).get("default_payment_method")


def made_at(method: Any) -> int | None:
    """Return when a payment method was made, as a Unix time; None if it is not expanded."""
    return method.get("created") if isinstance(method, Mapping) else None


def card_expiry(method: Any) -> date | None:
    """Return the last day on which a card can be charged; None for other methods, or if not expanded."""
    card = method.get("card") if isinstance(method, Mapping) else None
    if not card or not card.get("exp_year"):
        return None
    year, month = card["exp_year"], card["exp_month"]
    return date(year, month, monthrange(year, month)[1])

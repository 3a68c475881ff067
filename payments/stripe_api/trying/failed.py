"""A card that did not go through, as Stripe's objects tell of it: a decline, or a bank that could not be asked.

From an intent's or a charge's failure, on Stripe's pages for giving, paying an invoice or changing a card. A failure of
anything but a card or Link, which is one, is none: the bank of a debit answers days later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payments.stripe_api.fields import id_of

CARDS = ("card", "link")
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class FailedTry:
    """A failed try. `key` is the same in every event and read about it: of its charge, else of the intent and the card.

    `card` is Stripe's fingerprint of the number. `amount` is in minor units, 0 where no money was asked for. `checkout`
    is the public id of our Checkout from Stripe's metadata. `failed_authentication`: the bank was not convinced.
    """

    key: str
    customer: str
    checkout: str
    method: str
    card: str
    email: str
    amount: int
    currency: str
    failed_authentication: bool


def of_intent(raw: Raw, checkout: str = "") -> FailedTry | None:
    """Return the last failed try of a PaymentIntent or SetupIntent, or None if no card has failed."""
    error = raw.get("last_payment_error") or raw.get("last_setup_error") or {}
    method = error.get("payment_method")
    if not isinstance(method, Mapping) or method.get("type") not in CARDS:
        return None
    key = id_of(error.get("charge")) or f"{raw['id']}:{method.get('id') or ''}"
    return FailedTry(
        key=key,
        customer=id_of(raw.get("customer")),
        checkout=checkout,
        method=str(method.get("id") or ""),
        card=_card(method),
        email=_email(method),
        amount=raw.get("amount") or 0,
        currency=str(raw.get("currency") or "").upper(),
        failed_authentication="charge" not in error and "authentication" in str(error.get("code")),
    )


def of_charge(raw: Raw, checkout: str = "") -> FailedTry | None:
    """Return a failed charge as a try, or None if it did not fail or was made to no card."""
    details = raw.get("payment_method_details") or {}
    if raw.get("status") != "failed" or details.get("type") not in CARDS:
        return None
    return FailedTry(
        key=raw["id"],
        customer=id_of(raw.get("customer")),
        checkout=checkout,
        method=id_of(raw.get("payment_method")),
        card=_card(details),
        email=_email(raw),
        amount=raw.get("amount") or 0,
        currency=str(raw.get("currency") or "").upper(),
        failed_authentication=False,
    )


def code(raw: Raw) -> str:
    """Return the bank's or Stripe's code of a PaymentIntent's last failure, or ""."""
    error = raw.get("last_payment_error") or {}
    return error.get("decline_code") or error.get("code") or ""


def _card(method: Raw) -> str:
    return str((method.get("card") or {}).get("fingerprint") or "")


def _email(raw: Raw) -> str:
    return str((raw.get("billing_details") or {}).get("email") or "")

"""Customers, payment methods and mandates."""

from __future__ import annotations

import hashlib
from typing import Any

from stripe_simulator.world import cards
from stripe_simulator.world.clock import as_datetime
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

NO_ADDRESS: dict[str, None] = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def customer(world: World, **given: Any) -> Document:
    return {
        "id": world.new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": world.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": world.new_id("x", 8)[2:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **given,
    }


def _payment_method(world: World, type: str, email: str | None, name: str | None) -> Document:
    return {
        "id": world.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": {
            "address": dict(NO_ADDRESS),
            "email": email,
            "name": name,
            "phone": None,
            "tax_id": None,
        },
        "created": world.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": type,
    }


def card_method(
    world: World, number: str, email: str | None, name: str | None, expires: tuple[int, int] | None
) -> Document:
    card = cards.card(number)
    month, year = expires or (12, as_datetime(world.now()).year + 6)
    details = {
        "brand": cards.brand(card.number),
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": cards.brand(card.number),
        "exp_month": month,
        "exp_year": year,
        "fingerprint": _fingerprint(card.number),
        "funding": "credit",
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [cards.brand(card.number)], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return {**_payment_method(world, "card", email, name), "card": details, "_number": card.number}


def sepa_method(world: World, iban: str, email: str | None, name: str | None) -> Document:
    account = cards.account(iban)
    details = {
        "bank_code": account.iban[4:12],
        "branch_code": "",
        "country": account.iban[:2],
        "fingerprint": _fingerprint(account.iban),
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": account.iban[-4:],
    }
    return {**_payment_method(world, "sepa_debit", email, name), "sepa_debit": details, "_number": account.iban}


def method_elsewhere(world: World, type: str, email: str | None, name: str | None) -> Document:
    """Return a voucher (multibanco) or a US account, whose debits settle like those of the first test IBAN."""
    details: Document = {}
    if type == "us_bank_account":
        details = {
            "account_holder_type": "individual",
            "account_type": "checking",
            "bank_name": "STRIPE TEST BANK",
            "financial_connections_account": None,
            "fingerprint": _fingerprint("000123456789"),
            "last4": "6789",
            "networks": {"preferred": "ach", "supported": ["ach"]},
            "routing_number": "110000000",
            "status_details": None,
        }
    return {**_payment_method(world, type, email, name), type: details, "_number": next(iter(cards.ACCOUNTS))}


def _fingerprint(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()[:16]


def mandate(world: World, method: Document) -> Document:
    return {
        "id": world.new_id("mandate"),
        "object": "mandate",
        "customer_acceptance": {
            "accepted_at": world.now(),
            "online": {"ip_address": "127.0.0.1", "user_agent": "simulator"},
            "type": "online",
        },
        "livemode": False,
        "multi_use": {},
        "payment_method": method["id"],
        "payment_method_details": {
            "sepa_debit": {"reference": world.new_id("R", 14).replace("_", "").upper(), "url": world.base_url},
            "type": "sepa_debit",
        },
        "status": "active",
        "type": "multi_use",
    }

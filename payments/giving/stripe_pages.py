"""Stripe's own pages, Checkout and the customer portal: their language, and the ways to pay that they offer.

Called by giving/sessions.py and recurring/portal.py. The settings are described in docs/reference.md.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

# The languages of both pages, from the SDK's types of `locale`. Ukrainian is not among them.
_LOCALES = """
bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv
th tr vi zh zh-HK zh-TW
"""
LOCALES = frozenset(_LOCALES.split())
FALLBACK = "en"


def locale(language: str) -> str:
    """Return the language of Stripe's page for a reader of this language; never "auto", the browser's choice.

    It is the one that STRIPE_LOCALES names, else the reader's own if Stripe has it, else English.
    """
    wanted = settings.STRIPE_LOCALES.get(language, language)
    return wanted if wanted in LOCALES else FALLBACK


def terms() -> dict[str, Any]:
    """Return the parameters that keep Checkout to what the reader agreed to: our currency, and our ways to pay.

    Without `adaptive_pricing` the dashboard decides whether Stripe offers another currency. The list of ways only
    filters what the account has switched on and what fits the currency.
    """
    return {
        "adaptive_pricing": {"enabled": False},
        "allowed_payment_method_types": settings.CHECKOUT_PAYMENT_METHODS,
    }


def portal_features() -> dict[str, Any]:
    """Return the features of the portal: to change how one pays, by the account's ways or a named configuration."""
    update: dict[str, Any] = {"enabled": True}
    if settings.PORTAL_PAYMENT_METHODS:
        update["payment_method_configuration"] = settings.PORTAL_PAYMENT_METHODS
    return {"payment_method_update": update}

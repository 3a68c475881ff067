"""Every type of event that can concern a gift is handled, or left out with a documented reason."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import stripe

from payments.stripe_api.event_types import HANDLED, NOT_HANDLED, SYNCED
from payments.webhooks.handlers import HANDLERS

OPERATIONS = Path(__file__).resolve().parents[3] / "docs" / "operations.md"
# The events that can concern a gift at Stripe, by family, handled or not.
CONCERNS_GIFTS = {
    "checkout.session": "completed expired async_payment_succeeded async_payment_failed",
    "customer": "updated deleted",
    "customer.subscription": "created updated deleted paused resumed",
    "invoice": """created paid payment_failed payment_action_required finalization_failed voided marked_uncollectible
        upcoming overpaid payment_attempt_required payment_succeeded""",
    "invoice_payment": "paid",
    "payment_intent": "created processing succeeded payment_failed canceled",
    "charge": "succeeded updated failed refunded",
    "charge.dispute": "created updated closed funds_withdrawn funds_reinstated",
    "refund": "created updated failed",
    "mandate": "updated",
    "payment_method": "attached updated automatically_updated detached",
    "setup_intent": "succeeded setup_failed",
    "payout": "created updated paid failed canceled reconciliation_completed",
    "radar.early_fraud_warning": "created",
}
EXPECTED = {f"{family}.{name}" for family, names in CONCERNS_GIFTS.items() for name in names.split()}


def test_each_is_handled_or_left_out_for_a_reason() -> None:
    assert set(HANDLED) | set(NOT_HANDLED) == EXPECTED
    assert not set(HANDLED) & set(NOT_HANDLED)
    assert all(len(reason) > 20 for reason in NOT_HANDLED.values())


def test_what_is_registered_is_what_has_a_handler() -> None:
    assert set(HANDLERS) == set(HANDLED) | {f"sync.{kind}" for kind in SYNCED}


def test_the_document_gives_the_same_reasons() -> None:
    documented = dict(re.findall(r"^\| `([a-z_.]+\.[a-z_]+)` \| (.+) \|$", OPERATIONS.read_text(), flags=re.MULTILINE))
    assert {name: documented.get(name) for name in NOT_HANDLED} == NOT_HANDLED


def test_stripe_knows_every_one() -> None:
    """The types are spelled as in the SDK: Stripe would never send a misspelled one."""
    known = inspect.getsource(sys.modules[stripe.params.WebhookEndpointCreateParams.__module__])
    assert [name for name in sorted(EXPECTED) if f'"{name}"' not in known] == []

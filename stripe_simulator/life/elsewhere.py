"""Payments that the reader completes elsewhere, days later or never: a voucher, or small deposits to a US account.

Their session is complete and unpaid meanwhile, and the intent `requires_action`; settlement.py tells what follows.
https://docs.stripe.com/payments/multibanco/accept-a-payment, stripe.PaymentIntent.NextAction.VerifyWithMicrodeposits
"""

from __future__ import annotations

from stripe_simulator.world.clock import DAY
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

VOUCHER, US_ACCOUNT = "multibanco", "us_bank_account"


def waits(method: Document) -> bool:
    """Return whether the reader must pay or confirm elsewhere before anything is charged to this method."""
    return method["type"] == VOUCHER or (method["type"] == US_ACCOUNT and not method.get("_verified"))


def request(world: World, intent: Document, method: Document) -> None:
    """Ask the reader to pay the voucher, or to confirm the deposits, until the policy's last day."""
    until = world.now() + world.policy.elsewhere_days * DAY
    world.update(
        intent,
        status="requires_action",
        payment_method=method["id"],
        payment_method_types=[method["type"]],
        next_action=_action(world, intent, method, until),
    )
    world.emit("payment_intent.requires_action", intent)
    world.schedule(until, "lapse", intent["id"])


def _action(world: World, intent: Document, method: Document, until: int) -> Document:
    page = f"{world.base_url}/elsewhere/{intent['id']}"
    if method["type"] == VOUCHER:
        details = {"entity": "12345", "expires_at": until, "hosted_voucher_url": page, "reference": "123 456 789"}
        return {"type": "multibanco_display_details", "multibanco_display_details": details}
    details = {"arrival_date": world.now() + DAY, "hosted_verification_url": page, "microdeposit_type": "amounts"}
    return {"type": "verify_with_microdeposits", "verify_with_microdeposits": details}

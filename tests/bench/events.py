"""Events as Stripe sends them, some four kilobytes each, signed now."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
import uuid
from typing import Any

from payments.stripe_api.client import API_VERSION

PADDING = {f"filler_{number}": "x" * 60 for number in range(40)}


def charge(checkout: str = "", amount: int = 1000) -> dict[str, Any]:
    """A charge.succeeded for a gift given once; payload-only when `checkout` is one of ours."""
    name = uuid.uuid4().hex[:24]
    return {
        "id": f"evt_{name}",
        "object": "event",
        "type": "charge.succeeded",
        "created": int(time.time()),
        "livemode": False,
        "api_version": API_VERSION,
        "data": {
            "object": {
                "id": f"ch_{name}",
                "object": "charge",
                "status": "succeeded",
                "amount": amount,
                "currency": "eur",
                "created": int(time.time()),
                "payment_intent": f"pi_{name}",
                "customer": f"cus_{name}",
                "metadata": {"hromada_checkout": checkout} if checkout else {},
                **PADDING,
                "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}},
            }
        },
    }


def signed(body: bytes) -> str:
    stamp = str(int(time.time()))
    secret = os.environ["STRIPE_WEBHOOK_SECRETS"].encode()
    return f"t={stamp},v1={hmac.new(secret, f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()}"


def body(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()

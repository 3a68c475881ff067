"""What tests of the shield share: a tester's cards, each another one, and forms sent from a network."""

from __future__ import annotations

import json
import re
import secrets
from html import unescape
from itertools import count
from typing import Any

import altcha

from payments.models import Checkout, DoorPeriod
from tests.stage import Stage, hidden_fields

DETAILS = "/support/details/"
CHOICE = {"frequency": "once", "amount": "10", "currency": "EUR"}
_numbers = count(1)


def another_card() -> str:
    """The number of a card that is declined and was never tried before."""
    return f"9999{next(_numbers):012}"


def network() -> str:
    """An address from which nobody else comes in these tests."""
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


def send(stage: Stage, address: str, **changes: str) -> Any:
    """Send the details form from an address of the network; the answer is not followed."""
    name = secrets.token_urlsafe(16)
    fields = CHOICE | {"email": f"{name}@example.org", "name": "A Reader", "form_key": name} | changes
    return stage.client.post(DETAILS, fields, REMOTE_ADDR=address)


def try_cards(stage: Stage, checkout: Checkout, most: int) -> int:
    """Try so many cards in a session, each told of and worked before the next; return how many reached Stripe."""
    reached = 0
    for _ in range(most):
        stage.bring()
        stage.work()
        stage.bring()
        if stage.stripe.get(checkout.stripe_session_id)["status"] != "open":
            break
        stage.stripe.pay(checkout.stripe_session_id, another_card(), email=checkout.email)
        reached += 1
    stage.bring()
    stage.work()
    stage.settle_down()
    return reached


def challenge(html: str) -> dict[str, Any]:
    """Return the challenge of a page's form."""
    found = re.search(r'data-challenge="([^"]*)"', html)
    assert found, html
    parsed: dict[str, Any] = json.loads(unescape(found[1]))
    return parsed


def with_script(html: str) -> dict[str, str]:
    """The hidden inputs as a browser that runs scripts sends them."""
    return hidden_fields(re.sub(r"<noscript>.*?</noscript>", "", html, flags=re.DOTALL))


def solved(asked: dict[str, Any]) -> str:
    """Return the proof for a challenge, as static/proof.js computes it."""
    made = altcha.Challenge.from_dict(asked)
    solution = altcha.solve_challenge(made)
    assert solution
    return altcha.Payload(made, solution).to_base64()


def guard_the_door(state: str = "guarded") -> DoorPeriod:
    return DoorPeriod.objects.create(state=state)

"""What the tests of the pages behind letters' links do: open them, go to Stripe's page and back, fall behind."""

from __future__ import annotations

import re

from members.links import signed
from members.models import Message
from payments.models import OverdueTry, Payment, PortalConfiguration, PortalVisit, StripeEvent, Subscription
from tests.stage import Stage
from tests.stripe_simulator.test_pages import browse

FAILS, ASKS, GOOD, NO_FUNDS = "4000000000000341", "4000002760003184", "5555555555554444", "4000000000009995"
SEPA = "DE89370400440532013000"


def method_page() -> str:
    return f"/method/{signed.sign('method', str(Subscription.objects.get().public_id))}/"


def confirm_page(payment: Payment) -> str:
    return f"/confirm/{signed.sign('confirm', str(payment.public_id))}/"


def stop_page() -> str:
    return f"/stop/{signed.sign('stop', str(Subscription.objects.get().public_id))}/"


def state_of(body: bytes) -> str:
    found = re.search(r'data-state="(\w+)"', body.decode())
    return found[1] if found else ""


def change_card(stage: Stage, **typed: str) -> str:
    """From our page to Stripe's, another card or account typed there, and back; the address of the way back."""
    url = stage.client.post(method_page())["Location"]
    back = browse(url, action="method", **typed).location or ""
    assert back.startswith("http://testserver/method/")
    return back.removeprefix("http://testserver")


def fall_behind(stage: Stage, card: str = FAILS) -> Payment:
    """A monthly gift whose first renewal has failed."""
    stage.pay(stage.give("month", amount="10"), card=card, authenticate=True)
    stage.settle_down()
    stage.sleep(33)
    return Payment.objects.get(status="failed")


def press(stage: Stage, do: str, **more: str) -> str:
    """A button of the stop page; the state that the answer shows."""
    answer = stage.client.post(stop_page(), {"do": do, **more})
    assert answer.status_code == 200
    return state_of(answer.content)


def at_stripe() -> dict[str, object]:
    """The subscription as our row has it from Stripe."""
    row = Subscription.objects.get()
    return {"stopping": row.is_stopping, "paused": row.collection_paused, "amount": row.amount, "status": row.status}


def rows() -> tuple[int, ...]:
    """How many there are of everything that a look at a page might make."""
    models = (PortalVisit, PortalConfiguration, OverdueTry, StripeEvent, Message, Payment)
    return tuple(model._default_manager.count() for model in models)

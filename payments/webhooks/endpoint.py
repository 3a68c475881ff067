"""The webhook endpoint at Stripe: how it should be, how it is, and making it so.

An endpoint's API version is chosen when it is made and can never change. So a newer version means a second endpoint
beside the first, with a secret of its own, and the older one is switched off once web knows both secrets.
Called by the commands `stripe_endpoint` and `doctor`.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field

from django.conf import settings

from payments.errors import SiteNotSafe
from payments.stripe_api import client
from payments.stripe_api.event_types import HANDLED
from payments.stripe_api.signatures import is_live_key
from payments.stripe_api.values import WebhookEndpoint

ALL_EVENTS = "*"
# An answer of Stripe's is repeated for a day, also when its endpoint was deleted since: then the next key is asked.
MOST_DELETED = 5


@dataclass(frozen=True)
class Registered:
    """What was found or done. `secret` only when the endpoint was made now; `older` still deliver beside it."""

    endpoint_id: str
    secret: str = ""
    changes: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)


def address() -> str:
    return f"{settings.SITE_URL}/webhooks/stripe/"


def ours() -> list[WebhookEndpoint]:
    """Endpoints at Stripe with exactly our address, the fitting ones first. Asks Stripe once."""
    found = [endpoint for endpoint in client.webhook_endpoints() if endpoint.url == address()]
    return sorted(found, key=lambda endpoint: (not is_current(endpoint), not endpoint.is_enabled, endpoint.id))


def is_current(endpoint: WebhookEndpoint) -> bool:
    return endpoint.api_version == client.API_VERSION


def missing_types(endpoint: WebhookEndpoint) -> list[str]:
    """Event types we act on and this endpoint does not send."""
    return [] if ALL_EVENTS in endpoint.event_types else sorted(set(HANDLED) - endpoint.event_types)


def extra_types(endpoint: WebhookEndpoint) -> list[str]:
    return sorted(endpoint.event_types - set(HANDLED))


def register() -> Registered:
    """Make the endpoint, or correct the one that is there. Safe to run again: the second time nothing changes.

    Raises SiteNotSafe for a live key with a plain-HTTP address, StripeRefused, StripeUnavailable.
    """
    if is_live_key(settings.STRIPE_SECRET_KEY) and not settings.SITE_URL.startswith("https://"):
        raise SiteNotSafe(settings.SITE_URL)
    found = ours()
    older = [endpoint.id for endpoint in found if endpoint.is_enabled and not is_current(endpoint)]
    if found and is_current(found[0]):
        twins = [endpoint.id for endpoint in found[1:] if endpoint.is_enabled and is_current(endpoint)]
        return Registered(found[0].id, changes=_correct(found[0]), older=[*twins, *older])
    endpoint_id, secret = _make()
    return Registered(endpoint_id, secret, older=older)


def switch_off(endpoint_id: str) -> None:
    """Stripe stops sending to this endpoint. It can be switched on again at Stripe."""
    client.update_webhook_endpoint(endpoint_id, {"disabled": True}, key=_fresh_key())


def _correct(endpoint: WebhookEndpoint) -> list[str]:
    """What was changed, a few words each; nothing is asked of Stripe when nothing is wrong."""
    changes = [f"added {name}" for name in sorted(set(HANDLED) - endpoint.event_types)]
    changes += [f"removed {name}" for name in extra_types(endpoint)]
    changes += [] if endpoint.is_enabled else ["switched on"]
    if changes:
        wanted = {"enabled_events": list(HANDLED), "disabled": False}
        client.update_webhook_endpoint(endpoint.id, wanted, key=_fresh_key())
    return changes


def _make() -> tuple[str, str]:
    """No row of ours stands for an endpoint: the key is made of all that is asked for, so a repeat after a lost answer
    is answered with the same endpoint and the same secret.
    """
    wanted = {"url": address(), "enabled_events": list(HANDLED), "api_version": client.API_VERSION}
    root = f"webhook_endpoint:{hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()}"
    made = client.create_webhook_endpoint(wanted, key=root)
    for _ in range(MOST_DELETED):
        if any(endpoint.id == made[0] for endpoint in client.webhook_endpoints()):
            break
        made = client.create_webhook_endpoint(wanted, key=f"{root}:after:{made[0]}")
    return made


def _fresh_key() -> str:
    """A change says how things shall be, whatever they were: twice is harmless. A repeated key would be answered
    without being done, if somebody had changed the endpoint back since.
    """
    return f"webhook_endpoint_change:{uuid.uuid4()}"

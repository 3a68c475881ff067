"""Our webhook endpoint as registered at Stripe: creating it, and correcting the one that exists.

The page that receives the events is payments/views/webhook.py.

Stripe fixes an endpoint's API version when it is created. So a newer version needs a second endpoint, with a secret of
its own; the older one is switched off once the web process knows both secrets. Called by the commands
`stripe_endpoint` and `doctor`.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field

from django.conf import settings

from payments.errors import SiteNotSafe
from payments.stripe_api import client
from payments.stripe_api.account_values import WebhookEndpoint
from payments.stripe_api.event_types import HANDLED
from payments.stripe_api.signatures import is_live_key

# Stripe's word for an endpoint that receives every type of event.
ALL_EVENTS = "*"
# For a day Stripe repeats its answer to an idempotency key, even if the endpoint was deleted since. Then another key is
# tried, up to this many times.
MOST_DELETED = 5


@dataclass(frozen=True)
class Registered:
    """The result of `register`.

    `secret` is set only if the endpoint was created now, `changes` names what was corrected. `older` are the ids of
    other endpoints with the same address that still deliver: of an older API version, or duplicates.
    """

    endpoint_id: str
    secret: str = ""
    changes: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)


def address() -> str:
    return f"{settings.SITE_URL}/webhooks/stripe/"


def ours() -> list[WebhookEndpoint]:
    """Return the endpoints at Stripe with exactly our address: those of our API version first, then enabled ones.

    Calls Stripe once. Raises StripeRefused, StripeUnavailable.
    """
    found = [endpoint for endpoint in client.webhook_endpoints() if endpoint.url == address()]
    return sorted(found, key=lambda endpoint: (not is_current(endpoint), not endpoint.is_enabled, endpoint.id))


def is_current(endpoint: WebhookEndpoint) -> bool:
    """Return whether an endpoint has the API version that this software uses."""
    return endpoint.api_version == client.API_VERSION


def missing_types(endpoint: WebhookEndpoint) -> list[str]:
    """Return the event types that we handle and that this endpoint does not send, sorted."""
    return [] if ALL_EVENTS in endpoint.event_types else sorted(set(HANDLED) - endpoint.event_types)


def extra_types(endpoint: WebhookEndpoint) -> list[str]:
    """Return the event types that this endpoint sends and that we do not handle, sorted."""
    return sorted(endpoint.event_types - set(HANDLED))


def register() -> Registered:
    """Create the endpoint, or correct the one that exists; return what was found and done. Idempotent.

    Raises SiteNotSafe for a live key with a plain-HTTP address, StripeRefused, StripeUnavailable.
    """
    if is_live_key(settings.STRIPE_SECRET_KEY) and not settings.SITE_URL.startswith("https://"):
        raise SiteNotSafe(settings.SITE_URL)
    found = ours()
    older = [endpoint.id for endpoint in found if endpoint.is_enabled and not is_current(endpoint)]
    if found and is_current(found[0]):
        twins = [endpoint.id for endpoint in found[1:] if endpoint.is_enabled and is_current(endpoint)]
        return Registered(found[0].id, changes=_correct(found[0]), older=[*twins, *older])
    endpoint_id, secret = _create()
    return Registered(endpoint_id, secret, older=older)


def switch_off(endpoint_id: str) -> None:
    """Disable an endpoint, so that Stripe sends nothing to it. It can be enabled again at Stripe.

    Raises StripeRefused, StripeUnavailable.
    """
    client.update_webhook_endpoint(endpoint_id, {"disabled": True}, key=_random_key())


def _correct(endpoint: WebhookEndpoint) -> list[str]:
    """Correct an endpoint's event types and enable it; return the changes, such as "added invoice.paid".

    Does not call Stripe if there is nothing to change.
    """
    changes = [f"added {name}" for name in sorted(set(HANDLED) - endpoint.event_types)]
    changes += [f"removed {name}" for name in extra_types(endpoint)]
    changes += [] if endpoint.is_enabled else ["switched on"]
    if changes:
        wanted = {"enabled_events": list(HANDLED), "disabled": False}
        client.update_webhook_endpoint(endpoint.id, wanted, key=_random_key())
    return changes


def _create() -> tuple[str, str]:
    """Create the endpoint; return its id and secret.

    We keep no row for an endpoint, so the idempotency key is a hash of its parameters. A repeat after a lost answer
    gets the same endpoint and the same secret (docs/decisions/0024).
    """
    wanted = {"url": address(), "enabled_events": list(HANDLED), "api_version": client.API_VERSION}
    root = f"webhook_endpoint:{hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()}"
    created = client.create_webhook_endpoint(wanted, key=root)
    for _ in range(MOST_DELETED):
        if any(endpoint.id == created[0] for endpoint in client.webhook_endpoints()):
            break
        created = client.create_webhook_endpoint(wanted, key=f"{root}:after:{created[0]}")
    return created


def _random_key() -> str:
    """Return a new idempotency key for a change of an endpoint.

    A change sets the final values, so doing it twice is harmless. With a repeated key Stripe would answer without
    changing anything, even if somebody had changed the endpoint back since.
    """
    return f"webhook_endpoint_change:{uuid.uuid4()}"

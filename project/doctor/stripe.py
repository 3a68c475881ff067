"""The doctor's checks of Stripe: the key and its mode, the account, the webhook endpoint, its secrets, the clock."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from payments.errors import KeyRefused, StripeRefused, StripeUnavailable
from payments.stripe_api import client
from payments.stripe_api.account_values import WebhookEndpoint
from payments.stripe_api.signatures import TOLERANCE_SECONDS, is_live_key
from payments.webhooks import registration
from project.doctor.finding import Finding, fail, ok, warn

# Stripe's Date header has whole seconds. Signatures are refused if the clocks differ by more than TOLERANCE_SECONDS.
MOST_SECONDS_APART = 5
SOME = 5
RUN = "Run manage.py stripe_endpoint."


def key() -> Iterator[Finding]:
    """Check that Stripe accepts the key, that its mode fits this installation, and that both clocks agree."""
    if not settings.STRIPE_SECRET_KEY:
        yield fail("Stripe key", "STRIPE_SECRET_KEY is not set: nobody can give.")
        return
    try:
        stripe_time = client.stripe_time()
    except (KeyRefused, StripeRefused) as problem:
        yield fail("Stripe key", f"Stripe refuses it ({problem}). docs/operations.md lists the permissions it needs.")
        return
    except StripeUnavailable as problem:
        yield fail("Stripe key", f"{settings.STRIPE_API_BASE} does not answer ({problem}). Can this machine reach it?")
        return
    yield ok("Stripe key", "Stripe accepts it")
    yield _mode()
    yield _clock((timezone.now() - stripe_time).total_seconds())


def _clock(ahead: float) -> Finding:
    """Return whether this machine's clock, `ahead` of Stripe's by so many seconds, is right enough."""
    if abs(ahead) <= MOST_SECONDS_APART:
        return ok("clock", "agrees with Stripe's")
    return fail(
        "clock",
        f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Stripe's. Events are refused from "
        f"{TOLERANCE_SECONDS} s on. Synchronise this machine's clock (NTP).",
    )


def _mode() -> Finding:
    """Return whether the key is simulated, test or live, and whether that fits DEBUG and SITE_URL."""
    is_https = settings.SITE_URL.startswith("https://")
    is_live = is_live_key(settings.STRIPE_SECRET_KEY)
    if settings.STRIPE_IS_SIMULATED:
        return ok("Stripe mode", "simulated: no Stripe, no money")
    if not is_live:
        level = ok if settings.DEBUG else warn
        return level("Stripe mode", "a test key: no money moves")
    if settings.DEBUG:
        return fail("Stripe mode", "a live key with DEBUG on: real money, and pages for development. Unset DEBUG.")
    if not is_https:
        return fail("Stripe mode", f"a live key, and SITE_URL {settings.SITE_URL} has no TLS. Set it to https.")
    return ok("Stripe mode", "live")


def account() -> Iterator[Finding]:
    """Check that the key belongs to STRIPE_ACCOUNT, if that is set."""
    try:
        found = client.account_id()
    except (KeyRefused, StripeRefused) as problem:
        if settings.STRIPE_ACCOUNT:
            yield warn("Stripe account", f"the key may not read it ({problem}): STRIPE_ACCOUNT is not compared.")
        return
    except StripeUnavailable:
        return  # reported by the check of the key
    if settings.STRIPE_ACCOUNT not in ("", found):
        yield fail("Stripe account", f"the key belongs to {found}, not to STRIPE_ACCOUNT {settings.STRIPE_ACCOUNT}.")
    else:
        yield ok("Stripe account", found)


def endpoint_registered() -> Iterator[Finding]:
    """Check that one webhook endpoint sends us exactly the events we handle, in our API version."""
    try:
        found = registration.ours()
    except (KeyRefused, StripeRefused) as problem:
        yield warn("webhook endpoint", f"the key may not read it ({problem}): Webhook Endpoints, read.")
        return
    except StripeUnavailable:
        return  # reported by the check of the key
    if not found:
        yield fail("webhook endpoint", f"Stripe has none for {registration.address()}: no gift is ever recorded. {RUN}")
        return
    yield _judge(found[0])
    others = [each.id for each in found[1:] if each.is_enabled]
    if others:
        yield warn(
            "webhook endpoint",
            f"others deliver to the same address ({', '.join(others)}). When the website has the new secret, run "
            "manage.py stripe_endpoint --switch-off-older",
        )


def _judge(found: WebhookEndpoint) -> Finding:
    """Return the most serious fault of this endpoint, or that it is right."""
    what = "webhook endpoint"
    missing = registration.missing_types(found)
    if not registration.is_current(found):
        version = found.api_version or "of the account's default"
        return fail(what, f"{found.id} sends API version {version}, we need {client.API_VERSION}. {RUN}")
    if not found.is_enabled:
        return fail(what, f"{found.id} is switched off at Stripe. {RUN}")
    if missing:
        return fail(what, f"{found.id} does not send {_some(missing)}. {RUN}")
    if registration.ALL_EVENTS in found.event_types and settings.STRIPE_IS_SIMULATED:
        return ok(what, "the simulator's own, which sends all events")
    if extra := registration.extra_types(found):
        return warn(what, f"{found.id} also sends {_some(extra)}, stored as ignored. {RUN}")
    return ok(what, f"{found.id}: our event types, API version {client.API_VERSION}")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SOME} more" if len(names) > SOME else ""
    return ", ".join(names[:SOME]) + more


def payment_methods() -> Iterator[Finding]:
    """Check CHECKOUT_PAYMENT_METHODS against the ways to pay that are switched on at Stripe, and name the others."""
    what = "payment methods"
    try:
        found = client.method_configurations()
    except (KeyRefused, StripeRefused) as problem:
        yield warn(what, f"the key may not read them ({problem}): Payment Method Configurations, read.")
        return
    except StripeUnavailable:
        return  # reported by the check of the key
    on = next((each.methods for each in found if each.is_default), frozenset())
    offered = [name for name in settings.CHECKOUT_PAYMENT_METHODS if name in on]
    if not offered:
        yield fail(what, "none of CHECKOUT_PAYMENT_METHODS is switched on at Stripe: nobody can give.")
        return
    if off := [name for name in settings.CHECKOUT_PAYMENT_METHODS if name not in on]:
        yield warn(what, f"not switched on at Stripe: {', '.join(off)}")
    beyond = sorted(on.difference(settings.CHECKOUT_PAYMENT_METHODS))
    more = f"; switched on at Stripe and not offered: {', '.join(beyond)}" if beyond else ""
    yield ok(what, f"{', '.join(offered)}{more}")
    named = settings.PORTAL_PAYMENT_METHODS
    if named and named not in [each.id for each in found]:
        yield fail(what, f"PORTAL_PAYMENT_METHODS: Stripe has no {named}. Nobody can change card or bank.")


def secrets() -> Iterator[Finding]:
    """Check the form of the webhook secrets. Whether one is right shows only when an event arrives."""
    wrong = [secret for secret in settings.STRIPE_WEBHOOK_SECRETS if not secret.startswith("whsec_")]
    count = len(settings.STRIPE_WEBHOOK_SECRETS)
    if not count:
        yield fail("webhook secrets", "STRIPE_WEBHOOK_SECRETS is not set: every event is refused.")
    elif wrong:
        yield fail("webhook secrets", f"{len(wrong)} of {count} do not begin with whsec_. Copy them again.")
    else:
        yield ok("webhook secrets", f"{count} set")

"""Convert the SDK's exceptions into the errors of payments/errors.py. Called by client.py only.

Also here: whether an object that Stripe does not know is missing, or our key is the wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe
from django.conf import settings

from payments.errors import (
    Declined,
    KeyRefused,
    KeyReused,
    KeySpent,
    StripeMissing,
    StripeRefused,
    StripeUnavailable,
    TooManyRequests,
)
from payments.models import StripeEvent
from payments.stripe_api.signatures import is_live_key

# Stripe's codes for a key or account of ours that is not the right one, which may come with another status than 401 or
# 403: https://docs.stripe.com/error-codes
OUR_FAULTS = {
    "account_invalid",
    "api_key_expired",
    "livemode_mismatch",
    "platform_api_key_expired",
    "secret_key_required",
    "testmode_charges_only",
}


def guarded(call: Callable[[], Any]) -> Any:
    """Return the result of a call of the SDK, with its exceptions converted to ours.

    Raises StripeMissing (404), Declined (the bank said no), KeySpent (a stored error repeated for this key), KeyRefused
    (401, 403, OUR_FAULTS), KeyReused (our key was sent with other parameters before), TooManyRequests (429),
    StripeUnavailable (no answer, a conflict or an error of Stripe's) or StripeRefused (all else).
    """
    try:
        return call()
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        if _is_replayed(error):
            raise KeySpent(type(error).__name__) from error
        raise KeyRefused(_permission(error)) from error
    except stripe.InvalidRequestError as error:
        if error.code in OUR_FAULTS:
            raise KeyRefused(error.code) from error
        if error.http_status == 404:
            missing = StripeMissing(error.code or "resource_missing")
            missing.param = error.param or ""
            raise missing from error
        raise StripeRefused(error.code or type(error).__name__, error.param or "") from error
    except stripe.IdempotencyError as error:
        raise KeyReused(type(error).__name__) from error
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        if _is_replayed(error):
            raise KeySpent(type(error).__name__) from error
        if isinstance(error, stripe.RateLimitError):
            raise TooManyRequests(type(error).__name__) from error
        # A conflict (409) means that the first try with this key is still running: like no answer yet.
        raise StripeUnavailable(type(error).__name__) from error
    except stripe.CardError as error:
        raise Declined(_decline(error)) from error
    except stripe.StripeError as error:
        raise StripeRefused(error.code or type(error).__name__) from error


@contextmanager
def missing_means_missing(account_id: Callable[[], str]) -> Iterator[None]:
    """Run the block; if it raises StripeMissing although our key is the wrong one, raise KeyRefused instead.

    An object that Stripe does not know says nothing while the key is of another mode or account than our rows. Uses
    the database: not for the threads that read from Stripe.
    """
    try:
        yield
    except StripeMissing:
        check_key(account_id)
        raise


def check_key(account_id: Callable[[], str]) -> None:
    """Raise KeyRefused if the key is a test key and our events are live, or if it is not of STRIPE_ACCOUNT.

    A live key is always of the right mode: an installation that was tried in test mode first goes live with it. A
    restricted key that may not read its account counts as being of the right one.
    """
    if not is_live_key(settings.STRIPE_SECRET_KEY) and StripeEvent.objects.has_live():
        raise KeyRefused("it is a test key, and the events in our database are live")
    if not settings.STRIPE_ACCOUNT:
        return
    try:
        found = account_id()
    except (KeyRefused, StripeRefused):
        return
    if found != settings.STRIPE_ACCOUNT:
        raise KeyRefused(f"it is of {found}, and STRIPE_ACCOUNT is {settings.STRIPE_ACCOUNT}")


def _permission(error: stripe.StripeError) -> str:
    """Return the permission that a restricted key has not, such as rak_subscription_read, or the HTTP status."""
    named = re.search(r"\brak_\w+", str(error.user_message or ""))
    return f"permission {named[0]} is missing" if named else f"status {error.http_status}"


def _decline(error: stripe.CardError) -> str:
    """Return the bank's reason if Stripe gives it, else Stripe's error code."""
    body: Any = error.json_body or {}
    return str((body.get("error") or {}).get("decline_code") or error.code or "card_declined")


def _is_replayed(error: stripe.StripeError) -> bool:
    """Return whether Stripe repeated the error it had stored for this key, as it does for a day, whatever changed."""
    headers = {name.lower(): value for name, value in dict(error.headers or {}).items()}
    return headers.get("idempotent-replayed") == "true"

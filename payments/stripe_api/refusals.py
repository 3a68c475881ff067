"""Convert the SDK's exceptions into the errors of payments/errors.py. Called by client.py only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import stripe

from payments.errors import Declined, KeyRefused, KeySpent, StripeMissing, StripeRefused, StripeUnavailable


def guarded(call: Callable[[], Any]) -> Any:
    """Return the result of a call of the SDK, with its exceptions converted to ours.

    Raises StripeMissing (404), Declined (the bank said no), KeySpent (a stored error repeated for this key), KeyRefused
    (401, 403), StripeUnavailable (no answer, a conflict, too many requests or an error of Stripe's) or StripeRefused
    (all else).
    """
    try:
        return call()
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        if _is_replayed(error):
            raise KeySpent(type(error).__name__) from error
        raise KeyRefused(_permission(error)) from error
    except stripe.InvalidRequestError as error:
        if error.http_status == 404:
            raise StripeMissing(error.code or "resource_missing") from error
        raise StripeRefused(f"{error.code}: {error.param}") from error
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        if _is_replayed(error):
            raise KeySpent(type(error).__name__) from error
        # A conflict (409) means that the first try with this key is still running: like no answer yet.
        raise StripeUnavailable(type(error).__name__) from error
    except stripe.CardError as error:
        raise Declined(_decline(error)) from error
    except stripe.StripeError as error:
        raise StripeRefused(type(error).__name__) from error


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

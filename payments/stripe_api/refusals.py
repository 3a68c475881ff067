"""What the SDK raises, as errors of ours: not there, no, said no by the bank, no answer. For client.py alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import stripe

from payments.errors import Declined, KeySpent, StripeMissing, StripeRefused, StripeUnavailable


def guarded(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except stripe.InvalidRequestError as error:
        if error.http_status == 404:
            raise StripeMissing(error.code or "resource_missing") from error
        raise StripeRefused(f"{error.code}: {error.param}") from error
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        if _is_replayed(error):
            raise KeySpent(type(error).__name__) from error
        # A conflict (409) means the first try with this key is still under way: the same as no answer yet.
        raise StripeUnavailable(type(error).__name__) from error
    except stripe.CardError as error:
        raise Declined(_decline(error)) from error
    except stripe.StripeError as error:
        raise StripeRefused(type(error).__name__) from error


def _decline(error: stripe.CardError) -> str:
    """The bank's own reason where Stripe tells it, else Stripe's."""
    body: Any = error.json_body or {}
    return str((body.get("error") or {}).get("decline_code") or error.code or "card_declined")


def _is_replayed(error: stripe.StripeError) -> bool:
    """Stripe keeps also an error for a key, and repeats it for a day whatever the state of things is by then."""
    headers = {name.lower(): value for name, value in dict(error.headers or {}).items()}
    return headers.get("idempotent-replayed") == "true"

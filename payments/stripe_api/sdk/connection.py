"""The SDK's client: one per process and key, with our time limits, that sends no write without one of our keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import stripe
from django.conf import settings

# How long one try of a call may take: a reader may be waiting for it.
TIMEOUT_SECONDS = 6
# The same for a page that can also be shown without Stripe's answer.
HURRIED_SECONDS = 2
# A read that Stripe wants as a POST: it makes nothing (https://docs.stripe.com/api/invoices/create_preview).
PREVIEW = "/v1/invoices/create_preview"
# A kind of row and an id, such as "checkout:<uuid>:1". The SDK's own random keys have no colon.
OUR_KEY = re.compile(r"[a-z_]+:.+")


class _Keyed(stripe.RequestsClient):
    """The SDK's HTTP client, but a write without one of our idempotency keys raises ValueError and is not sent.

    The SDK gives a write without a key a random one, so that repeating the write later would have a second effect.
    """

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **more: Any
    ) -> Any:
        is_read = method.lower() == "get" or url.endswith(PREVIEW)
        if not is_read and not OUR_KEY.fullmatch((headers or {}).get("Idempotency-Key", "")):
            raise ValueError("A write to Stripe needs an idempotency key from a committed row.")
        return super().request(method, url, headers, post_data, **more)


def connection() -> stripe.StripeClient:
    """Return the SDK's client for the configured key. For client.py and lists.py only."""
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, _is_hurried.get())


@contextmanager
def hurried() -> Iterator[None]:
    """Let calls in this block, of this thread, give up after HURRIED_SECONDS, without a second try."""
    token = _is_hurried.set(True)
    try:
        yield
    finally:
        _is_hurried.reset(token)


def is_hurried() -> bool:
    """Return whether this thread is in a `hurried` block: a reader waits."""
    return _is_hurried.get()


_is_hurried: ContextVar[bool] = ContextVar("is_hurried", default=False)


@cache
def _client(secret_key: str, api_base: str, is_hurried: bool) -> stripe.StripeClient:
    """Return the SDK's client, made once per process. It retries a call once, with the same idempotency key."""
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": api_base},
        http_client=_Keyed(timeout=HURRIED_SECONDS if is_hurried else TIMEOUT_SECONDS),
        max_network_retries=0 if is_hurried else 1,
    )

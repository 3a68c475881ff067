"""The simulator's controls over HTTP: Stripe's clock, and the acts of banks and of Stripe's dashboard."""

from __future__ import annotations

import time
from typing import Any

import requests
from django.conf import settings

PATIENCE_SECONDS = 30.0
_session = requests.Session()


def wait_until_up() -> None:
    """Wait until the simulator, which may be starting at the same time, answers. Raises RuntimeError after a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            _session.get(f"{settings.STRIPE_API_BASE}/_simulator/clock", timeout=5)
        except requests.RequestException as problem:
            if time.monotonic() > deadline:
                raise RuntimeError(f"The Stripe simulator does not answer: {type(problem).__name__}") from problem
            time.sleep(0.1)
        else:
            return


def ask(control: str, **arguments: Any) -> dict[str, Any]:
    """Call one control and return its answer. Raises RuntimeError if the simulator refuses or does not answer."""
    try:
        answer = _session.post(f"{settings.STRIPE_API_BASE}/_simulator/{control}", json=arguments, timeout=60)
    except requests.RequestException as problem:
        raise RuntimeError(f"The Stripe simulator does not answer: {type(problem).__name__}") from problem
    if answer.status_code != 200:
        raise RuntimeError(f"The Stripe simulator refused {control}: {answer.text[:300]}")
    found: dict[str, Any] = answer.json()
    return found

"""Error reports to Sentry or a compatible server, if SENTRY_DSN is set.

A report contains only where in the code an error happened: no request, person, local variable or log line.
"""

from __future__ import annotations

from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.types import Event

KEPT = {"event_id", "timestamp", "platform", "level", "logger", "release", "environment", "exception", "sdk"}


def start() -> None:
    """Start reporting errors if SENTRY_DSN is set. Called once per process, by ProjectConfig.ready."""
    if settings.SENTRY_DSN:
        sentry_sdk.init(
            dsn=settings.SENTRY_DSN,
            before_send=only_the_code,
            send_default_pii=False,
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
        )


def only_the_code(event: Event, hint: dict[str, Any]) -> Event | None:
    """Return the event with allowed keys only and exceptions without messages, which may contain personal data."""
    kept: Any = {key: value for key, value in event.items() if key in KEPT}
    for error in kept.get("exception", {}).get("values", []):
        error["value"] = ""
    found: Event = kept
    return found

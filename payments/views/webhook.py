"""The endpoint for Stripe's events: check signature, time and shape, store the event, answer. Called by middleware.

It processes nothing and calls no other service. It answers 200 only after the row is committed, and 503 if the
database cannot be reached, so that Stripe sends the event again. An invalid request gets 400, 405, 413 or 415, never
500, whatever its bytes. The steps are listed in ARCHITECTURE.md.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from payments import heartbeats
from payments.crash_points import crash_at
from payments.inbox import queue
from payments.models import StripeEvent
from payments.stripe_api import signatures
from payments.stripe_api.client import API_VERSION
from payments.stripe_api.event_types import HANDLED

log = logging.getLogger("hromada.webhook")

MAX_BODY = 1024 * 1024
State = StripeEvent.State


def stripe_webhook(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    if request.content_type != "application/json":
        return HttpResponse("Send application/json.", status=415)
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse("Too large.", status=413)
    except UnreadablePostError:
        return HttpResponse("Incomplete.", status=400)
    if len(body) > MAX_BODY:
        return HttpResponse("Too large.", status=413)
    header = request.META.get("HTTP_STRIPE_SIGNATURE", "")
    if not signatures.is_valid(body, header, settings.STRIPE_WEBHOOK_SECRETS, time.time()):
        log.warning("webhook refused: signature")
        _note_refusal(header)
        return HttpResponse("Signature not valid.", status=400)
    event = _event(body)
    return _store(event, body) if event else HttpResponse("Not an event.", status=400)


def _note_refusal(header: str) -> None:
    """Record that a request with a signature header in Stripe's format was refused: our secret may be the wrong one.

    An alert checks for refusals while no event arrives. It is one row, written at most every 20 seconds, so that
    strangers cannot cause more writes.
    """
    if signatures.is_in_form(header, time.time()):
        try:
            heartbeats.beat(heartbeats.REFUSED)
        except DatabaseError:
            connection.close()


def _event(body: bytes) -> dict[str, Any] | None:
    """Return the parsed event, or None if the body does not have the shape of one."""
    try:
        event = json.loads(body)
        is_event = (
            event["object"] == "event"
            and isinstance(event["data"]["object"], dict)
            and isinstance(event["id"], str)
            and isinstance(event["type"], str)
            and isinstance(event["created"], int)
            and 0 < event["created"] < 2**33
            and 0 < len(event["id"]) < 200
        )
        stored = f"{event['id']}{event['type']}{event.get('account')}{event.get('api_version')}"
        is_event = is_event and "\x00" not in stored
        stored.encode()  # a lone surrogate cannot be stored as text
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return event if is_event else None


def _store(event: dict[str, Any], body: bytes) -> HttpResponse:
    """Store the event and answer 200, or 503 if the database fails. An event stored before is not stored again."""
    if event.get("api_version") != API_VERSION:
        log.info("event of another API version id=%s", event["id"])
    try:
        queue.store(event, body, _state(event))
        crash_at("before-answer")
    except DatabaseError:
        connection.close()
        log.error("webhook not stored: database")
        return HttpResponse("Not stored. Please send it again.", status=503)
    return HttpResponse(status=200)


def _state(event: dict[str, Any]) -> State:
    """Return the state to store: foreign for another mode or account, ignored for a type that we do not handle."""
    if event.get("livemode") is not signatures.is_live_key(settings.STRIPE_SECRET_KEY) or (
        (event.get("account") or settings.STRIPE_ACCOUNT) != settings.STRIPE_ACCOUNT
    ):
        log.error("webhook of another mode or account id=%s", event["id"])
        return State.FOREIGN
    return State.PENDING if event["type"] in HANDLED else State.IGNORED

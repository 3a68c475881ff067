"""The door for Stripe's events: checks signature, time and shape, stores, answers. Works nothing, calls nobody.

200 only when the row is committed; 503 when the database is not there, so that Stripe comes again. Whatever bytes
somebody sends, the answer is 400, 405, 413 or 415, never 500. The steps are listed in ARCHITECTURE.md.
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
    """What looks like Stripe's and is not signed with a secret of ours may be a secret that we have wrong: an alert
    looks whether nothing else comes. One row, written at most every 20 seconds, so that nobody can make us write more.
    """
    if signatures.is_in_form(header, time.time()):
        try:
            heartbeats.beat(heartbeats.REFUSED)
        except DatabaseError:
            connection.close()


def _event(body: bytes) -> dict[str, Any] | None:
    """The parsed event, or None when it is not shaped like one."""
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
            and "\x00" not in event["id"] + event["type"] + str(event.get("account")) + str(event.get("api_version"))
        )
        (event["id"] + event["type"]).encode()  # a lone surrogate cannot be stored as text
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return event if is_event else None


def _store(event: dict[str, Any], body: bytes) -> HttpResponse:
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
    if event.get("livemode") is not signatures.is_live_key(settings.STRIPE_SECRET_KEY) or (
        (event.get("account") or settings.STRIPE_ACCOUNT) != settings.STRIPE_ACCOUNT
    ):
        log.error("webhook of another mode or account id=%s", event["id"])
        return State.FOREIGN
    return State.PENDING if event["type"] in HANDLED else State.IGNORED

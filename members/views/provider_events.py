"""The door for what mail providers tell, at `/mail/events/<provider>/tracking/`: django-anymail checks and reads it.

Closed unless ANYMAIL_WEBHOOK_SECRET is set. Its views are asked for their answers rather than listened to by signal:
so a body nobody understands is refused as such, and a database that is away is not taken for one.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from typing import Any

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.webhooks.base import AnymailCoreWebhookView
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from members import delivery
from members.delivery import Delivery, Told

logger = logging.getLogger("hromada.mail")

FOR_GOOD = (RejectReason.BOUNCED, RejectReason.INVALID)
WHAT = {
    EventType.DELIVERED: Delivery.DELIVERED,
    EventType.DEFERRED: Delivery.DELAYED,
    EventType.BOUNCED: Delivery.BOUNCED,
    EventType.REJECTED: Delivery.BOUNCED,
    EventType.FAILED: Delivery.BOUNCED,
    EventType.COMPLAINED: Delivery.COMPLAINED,
}  # opened, clicked and the rest are nobody's business here


@never_cache
@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def told(request: HttpRequest, which: str) -> HttpResponse:
    view = _view(which)
    if request.method == "HEAD":  # some providers look whether the address is there
        return HttpResponse()
    try:
        view.run_validators(request)
        found = [_as_told(event, view.esp_name) for event in view.parse_events(request) if _is_about_delivery(event)]
    except AnymailWebhookValidationFailure:
        logger.warning("mail event refused: secret or signature")
        return HttpResponse("Refused.", status=403, content_type="text/plain")
    except Exception as problem:  # whatever a stranger's bytes can do to somebody else's parser
        logger.warning("mail event not understood: %s", type(problem).__name__)
        return HttpResponse("Not understood.", status=400, content_type="text/plain")
    for each in found:
        delivery.record(each)
    return HttpResponse()


def _view(which: str) -> AnymailCoreWebhookView:
    """Anymail's view for this provider. Raises Http404 for any other address, and while the door is closed."""
    if not (settings.ANYMAIL_WEBHOOK_SECRET and which.endswith("/tracking/")):
        raise Http404
    try:
        view_class = resolve(f"/{which}", urlconf="anymail.urls").func.view_class  # type: ignore[attr-defined]
        view: AnymailCoreWebhookView = view_class(webhook_secret=settings.ANYMAIL_WEBHOOK_SECRET)
    except (Resolver404, ImproperlyConfigured, ImportError):  # no such provider, or none whose key we have
        raise Http404 from None
    return view


def _is_about_delivery(event: object) -> bool:
    return isinstance(event, AnymailTrackingEvent) and event.event_type in WHAT


def _as_told(event: AnymailTrackingEvent, provider: str) -> Told:
    happened_at = _moment(event.timestamp)
    provider_id, recipient = _text(event.message_id), _text(event.recipient)
    once = (
        [_text(event.event_id)] if event.event_id else [provider_id, recipient, event.event_type, str(event.timestamp)]
    )
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    is_complaint = event.reject_reason == RejectReason.SPAM
    return Told(
        report_id=hashlib.sha256("\x1f".join([provider, event.event_type, *once]).encode()).hexdigest(),
        what=Delivery.COMPLAINED if is_complaint else WHAT[event.event_type],
        provider_id=provider_id[:255],
        happened_at=happened_at,
        is_for_good=event.reject_reason in FOR_GOOD and not _is_soft(event.esp_event),
        words=_text(event.mta_response) or _text(event.description),
        recipient=recipient,
        message_number=_text(metadata.get("message")),
    )


def _is_soft(esp_event: Any) -> bool:
    """Postmark's soft bounces look like hard ones once anymail has read them."""
    return isinstance(esp_event, dict) and esp_event.get("Type") == "SoftBounce"


def _moment(told_at: datetime | None) -> datetime:
    now = timezone.now()
    if told_at is None:
        return now
    return min(told_at if told_at.tzinfo else timezone.make_aware(told_at), now)


def _text(value: object) -> str:
    """What a database can keep: text without NUL and halves of characters."""
    words = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    return words.encode("utf-8", "replace").decode().replace("\x00", "").strip()

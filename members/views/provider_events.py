"""The webhook for mail providers' delivery reports, at `/mail/events/<provider>/tracking/`.

Answers 404 for a provider that has no secret (`_secret_of`). django-anymail checks and parses the requests; we call its
views directly instead of using its signal, so that only an unreadable body gets 400 and a database that is down gets
503, after which the provider sends the report again. members/delivery.py stores the reports.
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
from members.delivery import Delivery, ProviderReport

logger = logging.getLogger("hromada.mail")

PERMANENT = (RejectReason.BOUNCED, RejectReason.INVALID)
DELIVERIES = {
    EventType.DELIVERED: Delivery.DELIVERED,
    EventType.DEFERRED: Delivery.DELAYED,
    EventType.BOUNCED: Delivery.BOUNCED,
    EventType.REJECTED: Delivery.BOUNCED,
    EventType.FAILED: Delivery.BOUNCED,
    EventType.COMPLAINED: Delivery.COMPLAINED,
}  # other events, such as opens and clicks, are not recorded, to protect readers' privacy


@never_cache
@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def receive(request: HttpRequest, which: str) -> HttpResponse:
    """Store the delivery reports in a provider's request. `which` is the end of the path: `<provider>/tracking/`.

    Answers 404 for an unknown provider, 403 for a wrong secret or signature, 400 for a body that cannot be parsed.
    Idempotent: each report is stored once.
    """
    view = _view(which)
    if request.method == "HEAD":  # some providers check that the address exists
        return HttpResponse()
    try:
        view.run_validators(request)
        reports = [_report(event, view.esp_name) for event in view.parse_events(request) if _is_about_delivery(event)]
    except AnymailWebhookValidationFailure:
        logger.warning("mail event refused: secret or signature")
        return HttpResponse("Refused.", status=403, content_type="text/plain")
    except Exception as problem:  # untrusted bytes may make anymail's parsers raise anything
        logger.warning("mail event not understood: %s", type(problem).__name__)
        return HttpResponse("Not understood.", status=400, content_type="text/plain")
    for report in reports:
        delivery.record(report)
    return HttpResponse()


def _view(which: str) -> AnymailCoreWebhookView:
    """Return anymail's view for a path such as "postmark/tracking/".

    Raises Http404 for any other path, or if the provider's secret, package or key is missing.
    """
    secret = _secret_of(which.partition("/")[0])
    if not (secret and which.endswith("/tracking/")):
        raise Http404
    try:
        view_class = resolve(f"/{which}", urlconf="anymail.urls").func.view_class  # type: ignore[attr-defined]
        view: AnymailCoreWebhookView = view_class(webhook_secret=secret)
    except (Resolver404, ImproperlyConfigured, ImportError):  # an unknown provider, or one without a configured key
        raise Http404 from None
    return view


def _secret_of(provider: str) -> str:
    """Return the secret that opens the door of one provider, and no other; "" without one.

    It is ANYMAIL_<PROVIDER>_WEBHOOK_SECRET, else ANYMAIL_WEBHOOK_SECRET for the provider in EMAIL_URL: what one of two
    providers knows reports nothing in the name of the other.
    """
    own = str(settings.ANYMAIL.get(f"{provider.upper()}_WEBHOOK_SECRET", ""))
    backend = settings.SERVICE_MAIL["connection"].get("backend", "")
    is_ours = backend == f"anymail.backends.{provider}.EmailBackend"
    return own or (settings.ANYMAIL_WEBHOOK_SECRET if is_ours else "")


def _is_about_delivery(event: object) -> bool:
    return isinstance(event, AnymailTrackingEvent) and event.event_type in DELIVERIES


def _report(event: AnymailTrackingEvent, provider: str) -> ProviderReport:
    """Return one of anymail's events as a delivery report, its texts cleaned."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    is_complaint = event.reject_reason == RejectReason.SPAM
    return ProviderReport(
        report_id=_report_id(event, provider),
        what=Delivery.COMPLAINED if is_complaint else DELIVERIES[event.event_type],
        provider_id=_text(event.message_id)[:255],
        happened_at=_moment(event.timestamp),
        is_for_good=event.reject_reason in PERMANENT and not _is_soft(event.esp_event),
        words=_text(event.mta_response) or _text(event.description),
        recipient=_text(event.recipient),
        message_number=_text(metadata.get("message")),
    )


def _report_id(event: AnymailTrackingEvent, provider: str) -> str:
    """Return an id that is the same whenever the provider repeats this report.

    It is made from the provider's id of the event, or, if the event has none, from the email, recipient, type and time.
    """
    identity = [_text(event.event_id)]
    if not event.event_id:
        identity = [_text(event.message_id), _text(event.recipient), event.event_type, str(event.timestamp)]
    return hashlib.sha256("\x1f".join([provider, event.event_type, *identity]).encode()).hexdigest()


def _is_soft(esp_event: Any) -> bool:
    """Return whether this is one of Postmark's soft bounces, which anymail reports like hard ones."""
    return isinstance(esp_event, dict) and esp_event.get("Type") == "SoftBounce"


def _moment(reported_at: datetime | None) -> datetime:
    """Return the reported time, aware and not in the future; now if none was reported."""
    now = timezone.now()
    if reported_at is None:
        return now
    return min(reported_at if reported_at.tzinfo else timezone.make_aware(reported_at), now)


def _text(value: object) -> str:
    """Return a text or number as text that PostgreSQL can store: no NUL, no lone surrogates. Else return ""."""
    words = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    return words.encode("utf-8", "replace").decode().replace("\x00", "").strip()

"""Delivery reports of mail providers about emails we sent: delivered, delayed, bounced, marked as spam.

Each report is stored once. Reports arrive in any order and repeatedly; a message keeps the worst one, so that a late
"delivered" does not undo a bounce. Called by members/views/provider_events.py, which understands the providers.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.db.models.functions import Lower
from django.utils import timezone

from members import addresses, suppressions
from members.models import DeliveryReport, Message, Suppression

logger = logging.getLogger("hromada.mail")

Delivery = Message.Delivery
# A report replaces those before it in this list: a delay is over once there is any other result.
RANK = [Delivery.UNTOLD, Delivery.DELAYED, Delivery.DELIVERED, Delivery.BOUNCED, Delivery.COMPLAINED]
SOFT = (Delivery.DELAYED, Delivery.BOUNCED)
SOFT_WINDOW = timedelta(days=30)
MOST_SOFT = 5  # undelivered emails within the window; one more suppresses the address


@dataclass(frozen=True)
class ProviderReport:
    """A delivery report, independent of the provider's format.

    `report_id` is unique per report. `provider_id` is the provider's id of the email; `message_number` is our message's
    primary key, sent along as metadata, for emails whose `provider_id` we did not store. `is_for_good`: the address
    does not exist or will never accept our email.
    """

    report_id: str
    what: Delivery
    provider_id: str
    happened_at: datetime
    is_for_good: bool = False
    words: str = ""
    recipient: str = ""
    message_number: str = ""


def record(report: ProviderReport) -> bool:
    """Store a delivery report and apply its consequences to the message and its address; return True if it is new.

    Returns False if the report is already stored or concerns no message of this installation. Idempotent; safe to
    call concurrently: the message's row is locked, and each report id is stored once.
    """
    with transaction.atomic():
        message = _find_and_lock(report)
        if message is None:
            logger.info("delivery report about no message of this installation")
            return False
        try:
            with transaction.atomic():
                row = message.reports.create(
                    report_id=report.report_id,
                    what=report.what,
                    words=report.words[:500],
                    happened_at=report.happened_at,
                )
        except IntegrityError:
            return False
        _update(message, report)
        _suppress(message, report)
    logger.info("message %s (%s) reported: %s, report %s", message.pk, message.kind, report.what, row.pk)
    return True


def _find_and_lock(report: ProviderReport) -> Message | None:
    """Return the message that a report is about, locked, or None.

    It is found by the provider's id; by our own number only if that id was not stored and the address is the same,
    because another installation may use the same account at the provider.
    """
    rows = Message.objects.select_for_update()
    if report.provider_id and (found := rows.filter(provider_id=report.provider_id).first()):
        return found
    if not report.message_number.isdecimal() or len(report.message_number) > 18 or not report.recipient:
        return None
    unknown = rows.filter(pk=int(report.message_number), provider_id="")
    return unknown.filter(to_email__iexact=addresses.normal(report.recipient)).first()


def _update(message: Message, report: ProviderReport) -> None:
    """Update the message's delivery status. A message in state UNKNOWN becomes SENT: the provider did get it."""
    if RANK.index(report.what) > RANK.index(Delivery(message.delivery)):
        message.delivery, message.delivery_at = report.what, timezone.now()
    message.provider_id = message.provider_id or report.provider_id
    changed = ["delivery", "delivery_at", "provider_id"]
    if message.state == Message.State.UNKNOWN:
        message.state, message.sent_at, message.error = Message.State.SENT, report.happened_at, ""
        changed += ["state", "sent_at", "error"]
    message.save(update_fields=changed)


def _suppress(message: Message, report: ProviderReport) -> None:
    """Send nothing more to the address after a spam complaint, a permanent bounce or more than MOST_SOFT soft ones."""
    if report.what is Delivery.COMPLAINED:
        suppressions.suppress(message.to_email, Suppression.Reason.COMPLAINED)
    elif report.is_for_good:
        suppressions.suppress(message.to_email, Suppression.Reason.BOUNCED)
    elif report.what in SOFT and _soft_bounces(message.to_email) > MOST_SOFT:
        suppressions.suppress(message.to_email, Suppression.Reason.SOFT_BOUNCED)


def _soft_bounces(email: str) -> int:
    """Return how many emails to this address were delayed or bounced in the last 30 days and never delivered.

    The count starts again from zero when a suppression of the address is lifted.
    """
    key = email.strip().lower()
    lifted = Suppression.objects.annotate(email_key=Lower("email")).filter(email_key=key).aggregate(at=Max("lifted_at"))
    since = max(filter(None, (timezone.now() - SOFT_WINDOW, lifted["at"])))
    reports = DeliveryReport.objects.filter(what__in=SOFT, happened_at__gte=since, message__to_email__iexact=key)
    return reports.filter(message__delivery__in=SOFT).values("message").distinct().count()

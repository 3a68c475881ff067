"""What a mail provider tells about a letter afterwards: delivered, delayed, came back, called spam.

Each report is stored once. They come in any order and more than once; the worst that was told stands, so that a
"delivered" that comes late does not undo a bounce. Called by members/views/provider_events.py.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.db.models.functions import Lower
from django.utils import timezone

from members import suppressions
from members.models import DeliveryReport, Message, Suppression

logger = logging.getLogger("hromada.mail")

Delivery = Message.Delivery
# Later in the list wins. A delay is over once something else is told.
RANK = [Delivery.UNTOLD, Delivery.DELAYED, Delivery.DELIVERED, Delivery.BOUNCED, Delivery.COMPLAINED]
SOFT = (Delivery.DELAYED, Delivery.BOUNCED)
SOFT_WINDOW = timedelta(days=30)
MOST_SOFT = 5  # letters that could not be delivered within the window


@dataclass(frozen=True)
class Told:
    """`report_id`: the provider's, once a thing told. `is_for_good`: the address does not exist, or never will take
    mail of ours. `message_number` is what we gave along, for when the provider's own id was not kept.
    """

    report_id: str
    what: Delivery
    provider_id: str
    happened_at: datetime
    is_for_good: bool = False
    words: str = ""
    recipient: str = ""
    message_number: str = ""


def record(told: Told) -> bool:
    """Store what was told and what follows from it; False when it was known, or is about no letter of ours.

    Safe to call twice and from several processes at once: the letter's row is locked, the report's id exists once.
    """
    with transaction.atomic():
        message = _message(told)
        if message is None:
            logger.info("mail provider told about no letter of ours")
            return False
        try:
            with transaction.atomic():
                report = message.reports.create(
                    report_id=told.report_id, what=told.what, words=told.words[:500], happened_at=told.happened_at
                )
        except IntegrityError:
            return False
        _write(message, told)
        _suppress(message, told)
    logger.info("message %s (%s) told: %s, report %s", message.pk, message.kind, told.what, report.pk)
    return True


def _message(told: Told) -> Message | None:
    """By the provider's id. By our own number only while that id was not kept, and only for the same address: another
    installation may use the same account.
    """
    rows = Message.objects.select_for_update()
    if told.provider_id and (found := rows.filter(provider_id=told.provider_id).first()):
        return found
    if not told.message_number.isdecimal() or len(told.message_number) > 18 or not told.recipient:
        return None
    unknown = rows.filter(pk=int(told.message_number), provider_id="")
    return unknown.filter(to_email__iexact=told.recipient).first()


def _write(message: Message, told: Told) -> None:
    if RANK.index(told.what) > RANK.index(Delivery(message.delivery)):
        message.delivery, message.delivery_at = told.what, timezone.now()
    message.provider_id = message.provider_id or told.provider_id
    changed = ["delivery", "delivery_at", "provider_id"]
    if message.state == Message.State.UNKNOWN:  # now it is known: the provider had it
        message.state, message.sent_at, message.error = Message.State.SENT, told.happened_at, ""
        changed += ["state", "sent_at", "error"]
    message.save(update_fields=changed)


def _suppress(message: Message, told: Told) -> None:
    if told.what is Delivery.COMPLAINED:
        suppressions.suppress(message.to_email, Suppression.Reason.COMPLAINED)
    elif told.is_for_good:
        suppressions.suppress(message.to_email, Suppression.Reason.BOUNCED)
    elif told.what in SOFT and _soft_bounces(message.to_email) > MOST_SOFT:
        suppressions.suppress(message.to_email, Suppression.Reason.SOFT_BOUNCED)


def _soft_bounces(email: str) -> int:
    """Letters to this address in the last 30 days that never arrived; from anew since a suppression was lifted."""
    key = email.strip().lower()
    lifted = Suppression.objects.annotate(email_key=Lower("email")).filter(email_key=key).aggregate(at=Max("lifted_at"))
    since = max(filter(None, (timezone.now() - SOFT_WINDOW, lifted["at"])))
    told = DeliveryReport.objects.filter(what__in=SOFT, happened_at__gte=since, message__to_email__iexact=key)
    return told.filter(message__delivery__in=SOFT).values("message").distinct().count()

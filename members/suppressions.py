"""Addresses to which nothing is sent: mail to them came back, or their reader called ours spam.

One row an address while it stands, however it is capitalised; lifted ones stay as history. Asked before every letter
(members/mail/permission.py), written by what providers tell (members/delivery.py), lifted by staff, or by its reader.
"""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

from members import clock
from members.models import Supporter, Suppression, TimelineEntry

log = logging.getLogger("hromada.mail")


def active_suppression(email: str) -> Suppression | None:
    """What keeps letters from this address now; None when nothing does."""
    rows = Suppression.objects.annotate(email_key=Lower("email")).filter(email_key=email.strip().lower())
    return rows.filter(lifted_at=None).first()


@transaction.atomic
def suppress(email: str, reason: Suppression.Reason, actor: User | None = None) -> bool:
    """Send nothing to this address from now on; False when nothing was sent there already. Safe to call twice."""
    try:
        with transaction.atomic():
            made = Suppression.objects.create(email=email.strip(), reason=reason)
    except IntegrityError:  # one stands already
        return False
    _remember(made, "address.suppressed", actor)
    return True


def reader_receives_again(supporter: Supporter) -> None:
    """Its reader says that mail arrives now. Where mail had come back that is believed; it counts from anew."""
    found = active_suppression(supporter.email)
    if found and found.reason in (Suppression.Reason.BOUNCED, Suppression.Reason.SOFT_BOUNCED):
        lift(found)


@transaction.atomic
def lift(suppression: Suppression, actor: User | None = None) -> None:
    """Letters go to this address again; what was withheld stays withheld. Safe to call twice."""
    held = Suppression.objects.select_for_update().get(pk=suppression.pk)
    if held.lifted_at is None:
        held.lifted_at = clock.now()
        held.save(update_fields=["lifted_at"])
        _remember(held, "address.suppression_lifted", actor)


def _remember(suppression: Suppression, action: str, actor: User | None) -> None:
    supporter = Supporter.objects.with_email(suppression.email).first()
    if supporter:
        details = {"reason": suppression.reason}
        TimelineEntry.objects.create(supporter=supporter, action=action, actor=actor, details=details)
    log.info("suppression %s: %s, actor %s", suppression.pk, action, actor.pk if actor else None)

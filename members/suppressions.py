"""Suppressions: addresses to which nothing is sent, because email to them bounced or was marked as spam.

At most one is active per address, however it is capitalised; lifted ones stay as history. Checked before every email
(members/mail/permission.py), created from delivery reports (members/delivery.py), lifted by staff or by the reader.
"""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

from members import addresses, clock
from members.models import Supporter, Suppression, TimelineEntry
from members.rights import tombstones

log = logging.getLogger("hromada.mail")


def active_suppression(email: str) -> Suppression | None:
    """Return the active suppression of this address, however it is capitalised, or None.

    One that was kept when its person was erased holds a keyed hash of the address.
    """
    keys = [tombstones.address_key(email), *tombstones.hashed_addresses(email)]
    rows = Suppression.objects.annotate(email_key=Lower("email")).filter(email_key__in=keys)
    return rows.filter(lifted_at=None).first()


@transaction.atomic
def suppress(email: str, reason: Suppression.Reason, actor: User | None = None) -> bool:
    """Send nothing to this address from now on; return False if it was suppressed already.

    Idempotent; safe to call concurrently. Adds a timeline entry if a supporter has this address.
    """
    if active_suppression(email):
        return False
    try:
        with transaction.atomic():
            suppression = Suppression.objects.create(email=addresses.normal(email), reason=reason)
    except IntegrityError:  # one is active already
        return False
    _record(suppression, "address.suppressed", actor)
    return True


def reader_receives_again(supporter: Supporter) -> None:
    """Lift the suppression after the reader said that email arrives again. Idempotent.

    Only one caused by bounces is lifted; after a complaint or a decision of staff it stays. Bounces are counted again
    from zero.
    """
    found = active_suppression(supporter.email)
    if found and found.reason in (Suppression.Reason.BOUNCED, Suppression.Reason.SOFT_BOUNCED):
        lift(found)


@transaction.atomic
def lift(suppression: Suppression, actor: User | None = None) -> None:
    """Let emails go to this address again; emails withheld before stay unsent. Idempotent."""
    row = Suppression.objects.select_for_update().get(pk=suppression.pk)
    if row.lifted_at is None:
        row.lifted_at = clock.now()
        row.save(update_fields=["lifted_at"])
        _record(row, "address.suppression_lifted", actor)


def _record(suppression: Suppression, action: str, actor: User | None) -> None:
    supporter = Supporter.objects.with_email(suppression.email).first()
    if supporter:
        details = {"reason": suppression.reason}
        TimelineEntry.objects.create(supporter=supporter, action=action, actor=actor, details=details)
    log.info("suppression %s: %s, actor %s", suppression.pk, action, actor.pk if actor else None)

"""Supporters: found or created by their address, their address corrected, their settings for emails saved.

Called by payments/ when money has arrived, by the staff desk and by the preferences page. Emails themselves are in
members/mail/.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from members import addresses, clock
from members.errors import AddressTaken
from members.models import Message, Supporter, TimelineEntry

log = logging.getLogger("hromada.people")


@dataclass(frozen=True)
class Giver:
    """A person's details as typed at checkout."""

    email: str
    name: str
    language: str


def get_and_lock(email: str, *, name: str = "", language: str = "en") -> Supporter:
    """Return the supporter with this address, created if unknown; the row stays locked until the transaction ends.

    Call it only when money has arrived: a typed address proves nothing. An empty name is filled in, a known one kept.
    Idempotent; safe to call concurrently, because the address is unique in the database.
    """
    return get_and_lock_all([Giver(email, name, language)])[0]


def get_and_lock_all(givers: Sequence[Giver]) -> list[Supporter]:
    """Do the same as `get_and_lock` for many people in one statement; return their supporters in the same order.

    Rows are locked in the order of their addresses, so that two concurrent calls cannot deadlock.
    """
    emails = [addresses.normal(giver.email) for giver in givers]
    names, languages = [giver.name for giver in givers], [giver.language for giver in givers]
    return list(Supporter.objects.raw(_GET_AND_LOCK, [emails, names, languages, clock.now()]))


# The database decides which addresses are equal, because its lower() differs from Python's.
_GET_AND_LOCK = """
WITH given AS (
  SELECT lower(email) AS key, g.* FROM unnest(%s::text[], %s::text[], %s::text[])
  WITH ORDINALITY AS g (email, name, language, place)
), locked AS (
  INSERT INTO members_supporter AS known (public_id, email, name, language, created_at)
  SELECT DISTINCT ON (key) gen_random_uuid(), email, name, language, %s::timestamptz
  FROM given ORDER BY key, name = '', place
  ON CONFLICT (lower(email)) DO UPDATE SET name = CASE known.name WHEN '' THEN excluded.name ELSE known.name END
  RETURNING *)
SELECT locked.* FROM given JOIN locked ON lower(locked.email) = given.key ORDER BY given.place
"""


@transaction.atomic
def correct_address(supporter: Supporter, email: str, actor: User) -> Supporter:
    """Change a supporter's address and record who did it; return the supporter, freshly read and locked.

    Queued and later emails go to the new address; the customer at Stripe keeps the old one. Raises ValidationError if
    `email` is not an address, AddressTaken if another supporter has it. Idempotent.
    """
    email = addresses.normal(email)
    validate_email(email)
    if not addresses.is_plain(email):
        raise ValidationError("not in ASCII")
    row = Supporter.objects.select_for_update().get(pk=supporter.pk)
    if row.email == email:
        return row
    old = row.email
    row.email = email
    _save_address(row)
    _redirect_unsent(row, old)
    details = {"was": shortened(old), "is": shortened(email)}
    TimelineEntry.objects.create(supporter=row, action="supporter.address_corrected", actor=actor, details=details)
    log.info("supporter.address_corrected supporter=%s actor=%s", row.pk, actor.pk)
    return row


@transaction.atomic
def set_letters(supporter: Supporter, language: str, *, is_discreet: bool) -> None:
    """Save the language of later emails to a supporter, and whether they are discreet. Idempotent."""
    row = Supporter.objects.select_for_update().get(pk=supporter.pk)
    if (row.language, row.is_discreet) != (language, is_discreet):
        row.language, row.is_discreet = language, is_discreet
        row.save(update_fields=["language", "is_discreet"])
        details = {"language": language, "discreet": is_discreet}
        TimelineEntry.objects.create(supporter=row, action="letters.set", details=details)
    supporter.language, supporter.is_discreet = language, is_discreet


@transaction.atomic
def mark_at_risk(supporter: Supporter, actor: User, *, is_at_risk: bool) -> None:
    """Mark a supporter as at risk, or take the mark away, and record who did it. Idempotent."""
    row = Supporter.objects.select_for_update().get(pk=supporter.pk)
    if row.is_at_risk != is_at_risk:
        row.is_at_risk = is_at_risk
        row.save(update_fields=["is_at_risk"])
        action = "supporter.marked_at_risk" if is_at_risk else "supporter.unmarked_at_risk"
        TimelineEntry.objects.create(supporter=row, action=action, actor=actor)
    supporter.is_at_risk = is_at_risk


def shortened(email: str) -> str:
    """Return an address as the timeline may store it: recognisable, but not usable, such as o…@example.org."""
    name, _, host = email.partition("@")
    return f"{name[:1]}…@{host}"


def _redirect_unsent(supporter: Supporter, old_address: str) -> None:
    """Send pending emails for the old address to the new one, now, even if they were to be retried later.

    An email that is being sent is redirected by its sender (members/mail/sending.py).
    """
    waiting = Message.objects.filter(supporter=supporter, state=Message.State.PENDING, to_email__iexact=old_address)
    waiting.update(to_email=supporter.email, next_try_at=timezone.now())


def _save_address(supporter: Supporter) -> None:
    """Save the address. Raises AddressTaken if another supporter has it."""
    try:
        with transaction.atomic():
            supporter.save(update_fields=["email"])
    except IntegrityError as problem:
        raise AddressTaken from problem

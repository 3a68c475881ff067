"""Rules about supporters as persons: who they are, how they are found. Money and mail have rooms of their own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from members import clock
from members.errors import AddressTaken
from members.models import Message, Supporter, TimelineEntry

log = logging.getLogger("hromada.people")


@dataclass(frozen=True)
class Giver:
    """A person as their checkout knows them."""

    email: str
    name: str
    language: str


def get_and_lock(email: str, *, name: str = "", language: str = "en") -> Supporter:
    """The supporter with this address, made if unknown, with the row locked until the transaction ends.

    Called when money has come, never for a typed address alone. An empty name is filled in, a known one is kept.
    Safe to call twice and from several processes at once: the address is unique in the database.
    """
    return get_and_lock_all([Giver(email, name, language)])[0]


def get_and_lock_all(givers: Sequence[Giver]) -> list[Supporter]:
    """`hold` for many at once, in one statement: their supporters, in the same order.

    Rows are locked in the order of their addresses, so that two of these calls never wait for each other in a circle.
    """
    emails = [giver.email.strip() for giver in givers]
    names, languages = [giver.name for giver in givers], [giver.language for giver in givers]
    return list(Supporter.objects.raw(_HOLD, [emails, names, languages, clock.now()]))


# The database decides which addresses are the same: its lower() and Python's differ.
_HOLD = """
WITH given AS (
  SELECT lower(email) AS key, g.* FROM unnest(%s::text[], %s::text[], %s::text[])
  WITH ORDINALITY AS g (email, name, language, place)
), held AS (
  INSERT INTO members_supporter AS known (public_id, email, name, language, created_at)
  SELECT DISTINCT ON (key) gen_random_uuid(), email, name, language, %s::timestamptz
  FROM given ORDER BY key, name = '', place
  ON CONFLICT (lower(email)) DO UPDATE SET name = CASE known.name WHEN '' THEN excluded.name ELSE known.name END
  RETURNING *)
SELECT held.* FROM given JOIN held ON lower(held.email) = given.key ORDER BY given.place
"""


@transaction.atomic
def correct_address(supporter: Supporter, email: str, actor: User) -> Supporter:
    """Write down the right address of a supporter, and who did it. Mails that wait and later ones go there; Stripe is
    not told.

    Raises ValidationError when it is no address, AddressTaken when another supporter has it. Safe to call twice: the
    address they already have changes nothing.
    """
    email = email.strip()
    validate_email(email)
    held = Supporter.objects.select_for_update().get(pk=supporter.pk)
    if held.email == email:
        return held
    was, held.email = held.email, email
    _save_address(held)
    _turn_what_waits(held, was)
    details = {"was": shortened(was), "is": shortened(email)}
    TimelineEntry.objects.create(supporter=held, action="supporter.address_corrected", actor=actor, details=details)
    log.info("supporter.address_corrected supporter=%s actor=%s", held.pk, actor.pk)
    return held


@transaction.atomic
def set_letters(supporter: Supporter, language: str, *, is_discreet: bool) -> None:
    """In which language and how discreetly later letters to a supporter are written. Safe to call twice."""
    held = Supporter.objects.select_for_update().get(pk=supporter.pk)
    if (held.language, held.is_discreet) != (language, is_discreet):
        held.language, held.is_discreet = language, is_discreet
        held.save(update_fields=["language", "is_discreet"])
        details = {"language": language, "discreet": is_discreet}
        TimelineEntry.objects.create(supporter=held, action="letters.set", details=details)
    supporter.language, supporter.is_discreet = language, is_discreet


def shortened(email: str) -> str:
    """An address as history may keep it: enough to recognise, too little to write to."""
    name, _, host = email.partition("@")
    return f"{name[:1]}…@{host}"


def _turn_what_waits(supporter: Supporter, was: str) -> None:
    """Letters to the old address that no sender has in its hands are due at the new one, however long they were to wait
    for another try. One that is being sent is turned by its sender (members/mail/sending.py).
    """
    waiting = Message.objects.filter(supporter=supporter, state=Message.State.PENDING, to_email__iexact=was)
    waiting.update(to_email=supporter.email, next_try_at=timezone.now())


def _save_address(supporter: Supporter) -> None:
    try:
        with transaction.atomic():
            supporter.save(update_fields=["email"])
    except IntegrityError as problem:
        raise AddressTaken from problem

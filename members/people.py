"""Rules about supporters as persons: who they are, how they are found. Money and mail have rooms of their own."""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from members.errors import AddressTaken
from members.models import Supporter, TimelineEntry

log = logging.getLogger("hromada.people")


def hold(email: str, *, name: str = "", language: str = "en") -> Supporter:
    """The supporter with this address, made if unknown, with the row locked until the transaction ends.

    Called when money has come, never for a typed address alone. An empty name is filled in, a known one is kept.
    Safe to call twice and from several processes at once: the address is unique in the database.
    """
    email = email.strip()
    found = _locked(email)
    if found is None:
        Supporter.objects.bulk_create([Supporter(email=email, name=name, language=language)], ignore_conflicts=True)
        found = Supporter.objects.with_email(email).select_for_update().get()
    if name and not found.name:
        found.name = name
        found.save(update_fields=["name"])
    return found


def _locked(email: str) -> Supporter | None:
    return Supporter.objects.with_email(email).select_for_update().first()


@transaction.atomic
def correct_address(supporter: Supporter, email: str, actor: User) -> Supporter:
    """Write down the right address of a supporter, and who did it. Later mails go there; Stripe is not told.

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
    details = {"was": shortened(was), "is": shortened(email)}
    TimelineEntry.objects.create(supporter=held, action="supporter.address_corrected", actor=actor, details=details)
    log.info("supporter.address_corrected supporter=%s actor=%s", held.pk, actor.pk)
    return held


def shortened(email: str) -> str:
    """An address as history may keep it: enough to recognise, too little to write to."""
    name, _, host = email.partition("@")
    return f"{name[:1]}…@{host}"


def _save_address(supporter: Supporter) -> None:
    try:
        with transaction.atomic():
            supporter.save(update_fields=["email"])
    except IntegrityError as problem:
        raise AddressTaken from problem

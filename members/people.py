"""Rules about supporters as persons: who they are, how they are found. Money and mail have rooms of their own."""

from __future__ import annotations

from members.models import Supporter


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

"""Searches for people, kept for a few hours under a short id: an address holds the id, never a name or an address.

Each belongs to the user and the list in which it was made. Called by the desk's lists (members/admin/plain.py).
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from members.models import StoredSearch

LASTS = timedelta(hours=12)
LONGEST = 200


def keep(user: User | AnonymousUser, place: str, term: str) -> str:
    """Store the words searched for in a list; return their id. All searches that are over are deleted."""
    forget_old()
    made = StoredSearch(id=f"s-{secrets.token_urlsafe(9)}", user_id=int(user.pk or 0), place=place, term=term[:LONGEST])
    made.save(force_insert=True)
    return made.pk


def find(user: User | AnonymousUser, place: str, search_id: str) -> str | None:
    """Return the words that this user searched for in this list; None if the id is another's, unknown or over."""
    fresh = StoredSearch.objects.filter(created_at__gte=timezone.now() - LASTS)
    return fresh.filter(pk=search_id, user_id=int(user.pk or 0), place=place).values_list("term", flat=True).first()


def forget_old() -> None:
    """Delete the searches that are over. Called at each search, and every hour."""
    StoredSearch.objects.filter(created_at__lt=timezone.now() - LASTS).delete()


def forget_all() -> None:
    """Delete every stored search: what was searched for may be the name of a person who is erased."""
    StoredSearch.objects.all().delete()

"""Faults of our key in work that leaves no other row behind: settlements, previews, and readers' pages.

Events, requests and comparisons store such a fault on their own rows. Read by the alert `key-refused`
(alerts/looks.py), which names the permission that is missing. Real time throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from payments.errors import KeyRefused
from payments.models import KeyFault

# How long a fault counts that nobody met again: everything by itself is tried again sooner.
LASTS = timedelta(hours=2)


@contextmanager
def noted(work: str) -> Iterator[None]:
    """Run the block; store that our key was refused in it, or forget an earlier fault of this work if it was not.

    Raises what the block raises. Never use it inside a transaction.
    """
    try:
        yield
    except KeyRefused as problem:
        facts = {"reason": str(problem)[:200], "seen_at": timezone.now()}
        KeyFault.objects.update_or_create(work=work, defaults=facts)
        raise
    KeyFault.objects.filter(work=work).delete()


def reasons() -> list[str]:
    """Return the reasons of the faults that were met lately, the newest first."""
    lately = KeyFault.objects.filter(seen_at__gt=timezone.now() - LASTS)
    return list(lately.order_by("-seen_at").values_list("reason", flat=True))

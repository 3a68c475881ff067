"""Cases: what the software noticed and a person must decide. Handlers and daily jobs open them, staff settle them."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from members import clock
from members.models import Supporter, TimelineEntry
from payments.errors import AlreadyClosed
from payments.models import Case

log = logging.getLogger("hromada.cases")


def open_case(kind: str, key: str, supporter: Supporter | None = None, facts: dict[str, Any] | None = None) -> Case:
    """The case with this key, opened if it is new, within the caller's transaction.

    Facts are plain values for staff; amounts among them in minor units beside their currency. Safe to call twice and
    at once: the key is unique, and a case that was settled stays settled.
    """
    fresh = Case(kind=Case.Kind(kind), key=key, supporter=supporter, facts=facts or {})
    Case.objects.bulk_create([fresh], ignore_conflicts=True)
    return Case.objects.get(key=key)


@transaction.atomic
def close(case: Case, actor: User, note: str) -> Case:
    """Close a case with a note on how it was decided. Raises AlreadySettled when somebody was faster."""
    held = Case.objects.select_for_update().get(pk=case.pk)
    if held.settled_at:
        raise AlreadyClosed(case.pk)
    held.settled_at, held.settled_by, held.note = clock.now(), actor, note.strip()
    held.save(update_fields=["settled_at", "settled_by", "note"])
    if held.supporter_id:
        details = {"case": held.pk, "kind": held.kind}
        TimelineEntry.objects.create(
            supporter_id=held.supporter_id, action="case.settled", actor=actor, details=details
        )
    log.info("case.settled case=%s actor=%s", held.pk, actor.pk)
    return held

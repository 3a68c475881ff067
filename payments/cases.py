"""Cases: problems that the software noticed and a person must decide, such as a gift that was paid twice.

Rules, event handlers and daily jobs open them; staff close them at the desk (payments/desk/acts/cases.py).
"""

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
    """Return the case with this key, and open it if there is none, in the caller's transaction.

    `facts` are plain values shown to staff; amounts among them are in minor units, next to their currency. Idempotent
    and safe to call concurrently: the key is unique. An existing case is returned unchanged; a closed one stays closed.
    """
    new_case = Case(kind=Case.Kind(kind), key=key, supporter=supporter, facts=facts or {})
    Case.objects.bulk_create([new_case], ignore_conflicts=True)
    return Case.objects.get(key=key)


@transaction.atomic
def close(case: Case, actor: User, note: str) -> Case:
    """Close a case with a note on the decision, and add it to the supporter's timeline if the case has a supporter.

    Return the closed case. Raise AlreadyClosed if somebody closed it before, also if that happened concurrently.
    """
    locked = Case.objects.select_for_update().get(pk=case.pk)
    if locked.settled_at:
        raise AlreadyClosed(case.pk)
    locked.settled_at = clock.now()
    locked.settled_by = actor
    locked.note = note.strip()
    locked.save(update_fields=["settled_at", "settled_by", "note"])
    if locked.supporter_id:
        TimelineEntry.objects.create(
            supporter_id=locked.supporter_id,
            action="case.settled",
            actor=actor,
            details={"case": locked.pk, "kind": locked.kind},
        )
    log.info("case.settled case=%s actor=%s", locked.pk, actor.pk)
    return locked

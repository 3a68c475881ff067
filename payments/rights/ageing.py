"""Removal by age: abandoned checkouts, words of emails, delivery reports, payloads of events, sign-ins.

One run a night (tasks.py), in batches, each in a transaction of its own; what it did is a RetentionRun, which staff
see. Called by `manage.py retention` too. How long each is kept is a setting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone

from members import clock
from members.models import Consent, DeliveryReport, Message
from members.newsroom import values as newsroom
from payments import locks
from payments.inbox import retention
from payments.models import Checkout, RetentionRun

log = logging.getLogger("hromada.rights")

BATCH = 500
# A run that failed is repeated an hour later, one that was done is not.
AGAIN_AFTER = timedelta(hours=20)
UNFINISHED = (Checkout.Status.STARTED, Checkout.Status.OPEN, Checkout.Status.EXPIRED)
WAITING = (Message.State.PENDING, Message.State.SENDING)


@dataclass(frozen=True)
class Rule:
    """A rule: `old` returns the rows that are old enough, `remove` deals with a batch of them in a transaction."""

    name: str
    old: Callable[[], QuerySet[Model]]
    remove: Callable[[list[Model]], None]


def is_due() -> bool:
    """Return whether no run was finished in the last 20 hours."""
    return not RetentionRun.objects.filter(finished_at__gt=timezone.now() - AGAIN_AFTER).exists()


def counts() -> dict[str, int]:
    """Return how many rows each rule would deal with now. Changes nothing."""
    return {rule.name: rule.old().count() for rule in RULES}


def run() -> RetentionRun | None:
    """Deal with everything that is old enough, and return the run with its counts; None while another one is at it.

    Idempotent. A run that stops in the middle has removed what it has, and the next one goes on. Never call it inside a
    transaction.
    """
    with locks.taken(["retention"]) as taken:
        if not taken:
            return None
        made = RetentionRun.objects.create()
        for rule in RULES:
            made.counts[rule.name] = _apply(rule)
            made.save(update_fields=["counts"])
        made.finished_at = timezone.now()
        made.save(update_fields=["finished_at"])
        log.info("retention run=%s removed=%s", made.pk, sum(made.counts.values()))
        return made


def _apply(rule: Rule) -> int:
    done = 0
    while True:
        with transaction.atomic():
            rows = list(rule.old().select_for_update(skip_locked=True, of=("self",))[:BATCH])
            if rows:
                rule.remove(rows)
        done += len(rows)
        if len(rows) < BATCH:
            return done


def _old_checkouts() -> QuerySet[Checkout]:
    """Return attempts that led to no money, older than KEEP_CHECKOUTS_DAYS: Stripe's page lived for a day.

    If money should come for one all the same, its event waits for a person (docs/operations.md, gifts-unknown).
    """
    begun = Checkout.objects.filter(status__in=UNFINISHED, supporter=None, payments=None, subscription=None)
    oldest = clock.now() - timedelta(days=newsroom.number("KEEP_CHECKOUTS_DAYS"))
    return begun.filter(attempt_at__lt=oldest).order_by("pk")


def _remove_checkouts(rows: list[Model]) -> None:
    consents = [row.consent_id for row in rows]  # type: ignore[attr-defined]
    Checkout.objects.filter(pk__in=[row.pk for row in rows]).delete()
    others = Exists(Checkout.objects.filter(consent=OuterRef("pk")))
    Consent.objects.filter(~others, pk__in=consents).delete()


def _old_letters() -> QuerySet[Message]:
    old = Message.objects.filter(created_at__lt=clock.now() - timedelta(days=newsroom.number("KEEP_LETTERS_DAYS")))
    return old.filter(trimmed_at=None).exclude(state__in=WAITING).order_by("pk")


def _trim_letters(rows: list[Model]) -> None:
    """Remove the words, the facts and the address of emails; that one was sent, when, and of what kind, stays."""
    empty = {"context": {}, "subject": "", "body_text": "", "body_html": "", "error": "", "provider_id": ""}
    Message.objects.filter(pk__in=[row.pk for row in rows]).update(**empty, to_email="", trimmed_at=timezone.now())


def _old_reports() -> QuerySet[DeliveryReport]:
    """Return reports of the mail provider; the worst outcome stays on the email."""
    oldest = timezone.now() - timedelta(days=newsroom.number("KEEP_REPORTS_DAYS"))
    return DeliveryReport.objects.filter(happened_at__lt=oldest).order_by("pk")


def _old_sign_ins(model: type[Model]) -> Callable[[], QuerySet[Model]]:
    def old() -> QuerySet[Model]:
        oldest = timezone.now() - timedelta(days=newsroom.number("KEEP_SIGN_INS_DAYS"))
        return model._default_manager.filter(attempt_time__lt=oldest).order_by("pk")

    return old


def _old_sessions() -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=timezone.now()).order_by("pk")


def _delete(rows: list[Model]) -> None:
    type(rows[0])._default_manager.filter(pk__in=[row.pk for row in rows]).delete()


RULES: tuple[Rule, ...] = (
    Rule("checkouts", _old_checkouts, _remove_checkouts),
    Rule("letters", _old_letters, _trim_letters),
    Rule("delivery_reports", _old_reports, _delete),
    Rule("events", retention.old, retention.trim_rows),
    Rule("sign_in_failures", _old_sign_ins(AccessFailureLog), _delete),
    Rule("sign_in_attempts", _old_sign_ins(AccessAttempt), _delete),
    Rule("sign_ins", _old_sign_ins(AccessLog), _delete),
    Rule("sessions", _old_sessions, _delete),
)

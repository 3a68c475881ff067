"""Watching: looks at every rule, writes down what fires, tells staff once, again every six hours, and when it is over.

Called every minute by the drain and by a task, each of which lives when the other does not, and by the daily jobs for
what is costly. The row of a rule is locked while it is judged: however many watch, one tells.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from payments.alerts import letters
from payments.alerts.looks import Facts
from payments.alerts.rules import BY_NAME, RULES, Rule
from payments.models import Alert

log = logging.getLogger("hromada.alerts")

TOLD_AGAIN_AFTER = timedelta(hours=6)
# One that comes and goes is not told each time.
TOLD_ANEW_AFTER = timedelta(minutes=30)


def look(rules: Iterable[Rule] = RULES) -> Iterator[tuple[Rule, Facts | None]]:
    """Each rule with what it sees now, None when all is well. Writes nothing; one that breaks is left out."""
    for rule in rules:
        try:
            with transaction.atomic():
                seen = rule.look()
        except (InterfaceError, OperationalError):  # the database is away: nothing can be said at all
            raise
        except Exception as problem:  # one rule that breaks must not blind the others
            log.error("alert %s not looked at: %s", rule.name, type(problem).__name__)
        else:
            yield rule, seen


def judge() -> list[str]:
    """Look at every rule that is not costly and tell what has changed; returns the names of what fires.

    Safe to call at any time and at once. Raises OperationalError while the database is away.
    """
    firing = firing_now()
    seen = list(look(rule for rule in RULES if not rule.is_costly))
    for rule, facts in seen:
        if facts is not None or rule.name in firing:
            report(rule.name, facts)
    return [rule.name for rule, facts in seen if facts is not None]


def report(name: str, facts: Facts | None) -> None:
    """Tell what a rule saw, None when all is well: for somebody who has looked already."""
    rule = BY_NAME[name]
    if facts is None:
        _end(rule)
    else:
        _fire(rule, facts)


def firing_now() -> set[str]:
    """The names of what fires, as last judged. One query."""
    return set(Alert.objects.filter(since__isnull=False, ended_at=None).values_list("name", flat=True))


def _fire(rule: Rule, facts: Facts) -> None:
    Alert.objects.bulk_create([Alert(name=rule.name)], ignore_conflicts=True)
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(name=rule.name)
        now = timezone.now()
        if not alert.is_firing:
            alert.since, alert.ended_at = now, None
            _say(rule, facts)
        alert.facts = facts
        is_again = _was_told(alert)
        if alert.told_at is None or now - alert.told_at >= (TOLD_AGAIN_AFTER if is_again else TOLD_ANEW_AFTER):
            alert.told_at = now
            if rule.is_grave:
                letters.staff_alert(rule, alert, is_again=is_again)
        alert.save()


def _end(rule: Rule) -> None:
    with transaction.atomic():
        alert = Alert.objects.select_for_update().filter(name=rule.name).first()
        if alert is None or alert.since is None or not alert.is_firing:
            return
        alert.ended_at = timezone.now()
        alert.save(update_fields=["ended_at"])
        minutes = round((alert.ended_at - alert.since) / timedelta(minutes=1))
    log.warning("alert %s is over after %s minutes", rule.name, minutes)


def _was_told(alert: Alert) -> bool:
    """Whether staff know of it already: of this time, not of an earlier one."""
    return bool(alert.told_at and alert.since and alert.told_at >= alert.since)


def _say(rule: Rule, facts: Facts) -> None:
    """Numbers and ids only: facts hold nothing else."""
    say = log.error if rule.is_grave else log.warning
    say("alert %s: %s", rule.name, " ".join(f"{name}={value}" for name, value in facts.items()).replace("\n", " "))

"""The watch: checks the rules, records which fire, and notifies staff once, then every six hours while it lasts.

Called every minute by the drain and by a task, so that one works when the other is down, and by the daily jobs for the
costly rules. The row of a rule is locked while it is judged, so that several processes send one notification.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from payments.alerts import letters
from payments.alerts.looks import Facts
from payments.alerts.rule import Rule
from payments.alerts.rules import BY_NAME, RULES
from payments.guard import door
from payments.models import Alert

log = logging.getLogger("hromada.alerts")

# How long after an email staff get the next one: about the same alert while it lasts, or about a new start of it. The
# second prevents an email for each start of an alert that comes and goes.
REPEAT_AFTER = timedelta(hours=6)
RESTART_AFTER = timedelta(minutes=30)


def look(rules: Iterable[Rule] = RULES) -> Iterator[tuple[Rule, Facts | None]]:
    """Check these rules now; yield each with its facts, or None if all is well. Writes nothing.

    A rule that raises an error is logged and left out. Raises InterfaceError or OperationalError if the database does
    not answer.
    """
    for rule in rules:
        try:
            with transaction.atomic():
                seen = rule.look()
        except (InterfaceError, OperationalError):  # without the database no rule can be checked
            raise
        except Exception as problem:  # an error in one rule must not hide the others
            log.error("alert %s not checked: %s", rule.name, type(problem).__name__)
        else:
            yield rule, seen


def judge() -> list[str]:
    """Judge the door, then check every rule that is not costly; record and notify what has changed.

    Return the names of the rules that fire.

    Safe to call concurrently. Raises InterfaceError or OperationalError if the database does not answer.
    """
    door.judge()
    firing = firing_now()
    seen = list(look(rule for rule in RULES if not rule.is_costly))
    for rule, facts in seen:
        if facts is not None or rule.name in firing:
            report(rule.name, facts)
    return [rule.name for rule, facts in seen if facts is not None]


def report(name: str, facts: Facts | None) -> None:
    """Record the result of a rule that was checked already, and notify staff if it is due. None means all is well.

    Raises KeyError for an unknown name.
    """
    rule = BY_NAME[name]
    if facts is None:
        _end(rule)
    else:
        _fire(rule, facts)


def firing_now() -> set[str]:
    """Return the names of the rules that fired when last judged. One query."""
    return set(Alert.objects.filter(since__isnull=False, ended_at=None).values_list("name", flat=True))


def _fire(rule: Rule, facts: Facts) -> None:
    """Record that a rule fires; log it when it begins, and notify staff if it is due. A warning is logged only."""
    Alert.objects.bulk_create([Alert(name=rule.name)], ignore_conflicts=True)
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(name=rule.name)
        now = timezone.now()
        if not alert.is_firing:
            alert.since, alert.ended_at = now, None
            _log(rule, facts)
        alert.facts = facts
        is_again = _was_notified(alert)
        if alert.told_at is None or now - alert.told_at >= (REPEAT_AFTER if is_again else RESTART_AFTER):
            alert.told_at = now
            if rule.is_grave:
                letters.staff_alert(rule, alert, is_again=is_again)
        alert.save()


def _end(rule: Rule) -> None:
    """Record and log that a rule fires no longer; do nothing if it did not fire."""
    with transaction.atomic():
        alert = Alert.objects.select_for_update().filter(name=rule.name).first()
        if alert is None or alert.since is None or not alert.is_firing:
            return
        alert.ended_at = timezone.now()
        alert.save(update_fields=["ended_at"])
        minutes = round((alert.ended_at - alert.since) / timedelta(minutes=1))
    log.warning("alert %s is over after %s minutes", rule.name, minutes)


def _was_notified(alert: Alert) -> bool:
    """Return whether staff were notified since the alert last began."""
    return bool(alert.told_at and alert.since and alert.told_at >= alert.since)


def _log(rule: Rule, facts: Facts) -> None:
    """Log the facts, which hold numbers and ids only."""
    write = log.error if rule.is_grave else log.warning
    write("alert %s: %s", rule.name, " ".join(f"{name}={value}" for name, value in facts.items()).replace("\n", " "))

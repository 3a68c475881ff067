"""`manage.py doctor`: checks of an installation, in order. Nothing is changed anywhere.

The checks are in installation.py (settings, schema, servers, files), stripe.py (key, endpoint, clock) and running.py
(processes, queues, mail, alerts). Each is a function that yields findings; an exception becomes a finding too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from members.errors import in_words
from project.doctor import installation, running, stripe
from project.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]

Check = Callable[[], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    installation.settings_are_right,
    installation.database,
    installation.migrations,
    installation.cyrillic,
    installation.newsroom_is_complete,
    installation.redis_server,
    installation.static_files,
    stripe.key,
    stripe.account,
    stripe.endpoint_registered,
    stripe.payment_methods,
    stripe.secrets,
    running.processes,
    running.queue,
    running.mail,
    running.addresses,
    running.alerts,
)
# A check is left out if the check it needs has failed, because it would only fail for the same reason.
NEEDS: dict[Check, Check] = {
    installation.migrations: installation.database,
    installation.cyrillic: installation.database,
    installation.newsroom_is_complete: installation.migrations,
    stripe.account: stripe.key,
    stripe.endpoint_registered: stripe.key,
    stripe.payment_methods: stripe.key,
    running.processes: installation.migrations,
    running.queue: installation.migrations,
    running.addresses: installation.migrations,
    running.alerts: installation.migrations,
}


def examine() -> Iterator[Finding]:
    """Run all checks in order and yield each finding as soon as it is known. Raises nothing."""
    failed: set[Check] = set()
    for check in CHECKS:
        if NEEDS.get(check) in failed:
            failed.add(check)
            continue
        for finding in _findings(check):
            if finding.level == Level.FAIL:
                failed.add(check)
            yield finding


def _findings(check: Check) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as problem:  # a check that breaks must not hide the others
        name = check.__name__.replace("_", " ")
        yield Finding(Level.FAIL, name, f"could not be checked ({in_words(problem)})")

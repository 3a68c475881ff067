"""`manage.py doctor`: is this installation right? Checks in order, each one finding; nothing is changed anywhere.

What is looked at: installation.py (settings, schema, servers, files), stripe.py (key, endpoint, clock), running.py
(processes, queues, mail, alerts). A check is a function that gives findings; what it raises is a finding too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from project.doctor import installation, running, stripe
from project.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]

Check = Callable[[], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    installation.settings_are_right,
    installation.database,
    installation.migrations,
    installation.cyrillic,
    installation.redis_server,
    installation.static_files,
    stripe.key,
    stripe.account,
    stripe.endpoint_registered,
    stripe.secrets,
    running.processes,
    running.queue,
    running.mail,
    running.alerts,
)
# What would only fail again, in other words, is left out.
NEEDS: dict[Check, Check] = {
    installation.migrations: installation.database,
    installation.cyrillic: installation.database,
    stripe.account: stripe.key,
    stripe.endpoint_registered: stripe.key,
    running.processes: installation.migrations,
    running.queue: installation.migrations,
    running.alerts: installation.migrations,
}


def examine() -> Iterator[Finding]:
    """All findings in order, each as soon as it is known."""
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
        yield Finding(Level.FAIL, name, f"could not be looked at ({type(problem).__name__}: {problem})")

"""The doctor's look at what runs: processes, queues, mail. All from the database, but for one greeting by SMTP."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone

from payments import heartbeats
from payments.models import StripeEvent
from payments.reports import desk
from project.doctor.finding import Finding, fail, ok, warn

START = {
    "drain": "manage.py drain",
    "worker": "celery --app=project worker",
    "beat": "celery --app=project beat",
}
SMTP_SECONDS = 8
LONGEST_WAIT_MINUTES = 5


def processes() -> Iterator[Finding]:
    """In development a house that does not stand is no fault."""
    for name, age in heartbeats.ages().items():
        if age is not None and age <= heartbeats.SILENT_AFTER.total_seconds():
            yield ok(name, f"heard of {age:.0f} s ago")
            continue
        since = "was never heard of" if age is None else f"silent for {age / 60:.0f} min"
        yield (warn if settings.DEBUG else fail)(name, f"{since}. Start it: {START[name]}")


def queue() -> Iterator[Finding]:
    """What has arrived and waits to be worked, and what was given up."""
    counted = desk.events()
    dead = counted.get(StripeEvent.State.DEAD)
    waiting = [counted[state] for state in StripeEvent.WAITING if state in counted]
    if dead:
        yield fail("queue", f"{dead.count} events are dead. Open them at the desk, mend, work them again.")
    oldest = min((each.oldest for each in waiting if each.oldest), default=None)
    minutes = (timezone.now() - oldest).total_seconds() / 60 if oldest else 0
    number = sum(each.count for each in waiting)
    if minutes > LONGEST_WAIT_MINUTES:
        yield fail("queue", f"{number} events wait, the oldest for {minutes:.0f} min. Does the drain run?")
    elif not dead:
        yield ok("queue", f"{number} events wait")


def mail() -> Iterator[Finding]:
    """A greeting, TLS and a login where EMAIL_URL has them; no letter is sent."""
    backend = get_connection(fail_silently=False)
    if not isinstance(backend, EmailBackend):
        if settings.DEBUG:
            yield ok("mail", f"no server: letters are files in {settings.MAIL_DIR}")
        else:
            yield fail("mail", "EMAIL_URL is not set: letters reach nobody.")
        return
    backend.timeout = SMTP_SECONDS
    where = f"{backend.host}:{backend.port}"
    try:
        backend.open()
        is_private = backend.use_tls or backend.use_ssl
        backend.close()
    except (OSError, smtplib.SMTPException) as problem:
        yield fail("mail", f"{where} does not take us ({type(problem).__name__}). See EMAIL_URL.")
        return
    if is_private or backend.host in ("localhost", "127.0.0.1", "::1"):
        yield ok("mail", f"{where} takes us")
    else:
        yield warn("mail", f"{where} is spoken to in the clear. Use smtp+tls:// or smtp+ssl:// in EMAIL_URL.")

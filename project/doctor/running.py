"""The doctor's look at what runs: processes, queues, mail. All from the database, but for one greeting by SMTP."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator

from anymail.backends.base import AnymailBaseBackend
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend

from members.models import Message
from payments import heartbeats
from payments.alerts import watch
from payments.alerts.rules import RULES
from payments.models import StripeEvent
from payments.reports import desk
from project.doctor.finding import Finding, fail, ok, warn

START = {
    "drain": "manage.py drain",
    "worker": "celery --app=project worker",
    "beat": "celery --app=project beat",
    "bulk": "celery --app=project worker --queues=bulk",
}
SMTP_SECONDS = 8


def processes() -> Iterator[Finding]:
    """In development a house that does not stand is no fault."""
    for name, age in heartbeats.ages().items():
        if age is not None and not heartbeats.is_silent(name, age):
            yield ok(name, f"heard of {age:.0f} s ago")
            continue
        since = "was never heard of" if age is None else f"silent for {age / 60:.0f} min"
        yield (warn if settings.DEBUG else fail)(name, f"{since}. Start it: {START[name]}")


def alerts() -> Iterator[Finding]:
    """Every rule, looked at now. What the other checks have said in their own words is left out."""
    said = {f"{name}-silent" for name in START} | {"redis-away"}
    rules = [rule for rule in RULES if rule.name not in said]
    seen = [(rule, facts) for rule, facts in watch.look(rules) if facts is not None]
    for rule, facts in seen:
        words = f"{str(rule.words) % facts} {rule.todo} See docs/operations.md, {rule.name}."
        yield (fail if rule.is_grave else warn)(f"alert {rule.name}", words)
    if not seen:
        yield ok("alerts", f"{len(rules)} rules, none fires")


def queue() -> Iterator[Finding]:
    """Numbers only: whether they are too many is said by the alerts."""
    events, letters = desk.events(), Message.objects.filter(state=Message.State.PENDING).count()
    waiting = sum(events[state].count for state in StripeEvent.WAITING if state in events)
    yield ok("queue", f"{waiting} events and {letters} letters wait")


def mail() -> Iterator[Finding]:
    """A greeting, TLS and a login where EMAIL_URL has them; no letter is sent."""
    backend = get_connection(fail_silently=False)
    if isinstance(backend, AnymailBaseBackend):
        yield from _provider(backend.esp_name)
        return
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


def _provider(name: str) -> Iterator[Finding]:
    """A provider takes letters or does not; only a letter would tell."""
    if settings.ANYMAIL_WEBHOOK_SECRET:
        yield ok("mail", f"letters leave by {name}, which tells of bounces")
    else:
        yield warn("mail", f"{name} cannot tell of bounces and complaints. Set ANYMAIL_WEBHOOK_SECRET.")

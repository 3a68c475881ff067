"""The doctor's checks of processes, alerts, queues, mail and addresses, from the database and one SMTP connection."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator

from anymail.backends.base import AnymailBaseBackend
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend

from members.models import Message, Supporter
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
SOME = 5


def processes() -> Iterator[Finding]:
    """Check the heartbeat of each process. With DEBUG on, a silent one is only a warning."""
    for name, age in heartbeats.ages().items():
        if age is not None and not heartbeats.is_silent(name, age):
            yield ok(name, f"last heartbeat {age:.0f} s ago")
            continue
        since = "no heartbeat yet" if age is None else f"silent for {age / 60:.0f} min"
        yield (warn if settings.DEBUG else fail)(name, f"{since}. Start it: {START[name]}")


def alerts() -> Iterator[Finding]:
    """Check every alert rule now, except rules that other checks of the doctor cover."""
    covered = {f"{name}-silent" for name in START} | {"redis-away"}
    rules = [rule for rule in RULES if rule.name not in covered]
    firing = [(rule, facts) for rule, facts in watch.look(rules) if facts is not None]
    for rule, facts in firing:
        words = f"{str(rule.words) % facts} {rule.todo} See docs/operations.md, {rule.name}."
        yield (fail if rule.is_grave else warn)(f"alert {rule.name}", words)
    if not firing:
        yield ok("alerts", f"{len(rules)} rules, none fires")


def queue() -> Iterator[Finding]:
    """Report how many events and emails wait. Alerts decide whether that is too many."""
    events = desk.events()
    emails = Message.objects.filter(state=Message.State.PENDING).count()
    waiting = sum(events[state].count for state in StripeEvent.WAITING if state in events)
    yield ok("queue", f"{waiting} events and {emails} emails wait")


def mail() -> Iterator[Finding]:
    """Check that the mail server accepts a connection, with the TLS and login of EMAIL_URL. No email is sent."""
    backend = get_connection(fail_silently=False)
    if isinstance(backend, AnymailBaseBackend):
        yield _provider(backend.esp_name)
    elif isinstance(backend, EmailBackend):
        yield _smtp(backend)
    elif settings.DEBUG:
        yield ok("mail", f"no server: emails are files in {settings.MAIL_DIR}")
    else:
        yield fail("mail", "EMAIL_URL is not set: emails reach nobody.")


def addresses() -> Iterator[Finding]:
    """Check that every stored address is one that our forms accept today. Names supporters by their numbers only."""
    outside = Supporter.objects.filter(email__regex=r"[^\x20-\x7E]").order_by("pk").values_list("pk", flat=True)
    if numbers := list(outside):
        some = ", ".join(f"#{number}" for number in numbers[:SOME]) + (" and others" if len(numbers) > SOME else "")
        words = f"{len(numbers)} outside ASCII, of supporters {some}: email may not reach them, or somebody else."
        yield warn("addresses", f"{words} Correct each at the desk; a domain is converted.")
    else:
        yield ok("addresses", "every supporter's is in ASCII")


def _smtp(backend: EmailBackend) -> Finding:
    """Return what connecting to an SMTP server shows."""
    backend.timeout = SMTP_SECONDS
    where = f"{backend.host}:{backend.port}"
    try:
        backend.open()
        is_private = backend.use_tls or backend.use_ssl
        backend.close()
    except (OSError, smtplib.SMTPException) as problem:
        return fail("mail", f"{where} does not let us connect ({type(problem).__name__}). See EMAIL_URL.")
    if is_private or backend.host in ("localhost", "127.0.0.1", "::1"):
        return ok("mail", f"{where} lets us connect")
    return warn("mail", f"the connection to {where} is not encrypted. Use smtp+tls:// or smtp+ssl:// in EMAIL_URL.")


def _provider(name: str) -> Finding:
    """Return whether a provider can report bounces. Whether it accepts email shows only when one is sent."""
    if settings.ANYMAIL_WEBHOOK_SECRET:
        return ok("mail", f"emails are sent by {name}, which reports bounces")
    return warn("mail", f"{name} cannot report bounces and complaints. Set ANYMAIL_WEBHOOK_SECRET.")

"""Handing an email to the mail server, knowing at every step whether the server may already have it.

SMTP has one point of no return: the line that ends DATA. If the connection breaks before it, nothing was sent; after
it, only the server's reply says whether it was. Django's SMTP backend opens the connection (EMAIL_URL), but we speak
SMTP ourselves, because the backend does not report how far it got. Called by members/mail/sending.py; providers with
an HTTP API are in members/mail/providers.py.
"""

from __future__ import annotations

import re
import smtplib
from contextlib import suppress

from anymail.backends.base import AnymailBaseBackend
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.core.mail.message import sanitize_address

from members.errors import in_words
from members.mail import routes
from members.mail.outcome import Outcome, PointOfNoReturn, Result
from members.mail.providers import over_provider

Reply = tuple[int, bytes]

QUIT_SECONDS = 2.0
LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


def hand_over(email: EmailMessage, stream: str, point_of_no_return: PointOfNoReturn) -> Outcome:
    """Send an email through the mail server of its stream; return the outcome.

    `point_of_no_return` is called at most once, right before the email could be delivered; if it returns False, the
    email is withheld. Raises nothing that a mail server or a network can cause.
    """
    try:
        recipient = sanitize_address(email.to[0], "utf-8")
    except ValueError as problem:
        return Outcome(Result.REFUSED, in_words(problem))
    backend = routes.connection(stream)
    if isinstance(backend, AnymailBaseBackend):
        return over_provider(backend, email, point_of_no_return)
    if isinstance(backend, SmtpBackend):
        return _over_smtp(backend, email, recipient, point_of_no_return)
    return _over_other(backend, email, point_of_no_return)


def _over_other(backend: BaseEmailBackend, email: EmailMessage, point_of_no_return: PointOfNoReturn) -> Outcome:
    """Send an email through any other backend. After an error it counts as not sent only if the backend is atomic."""
    if not point_of_no_return():
        return Outcome(Result.WITHHELD)
    try:
        backend.send_messages([email])
    except Exception as problem:  # a third-party backend may raise anything
        is_atomic = getattr(backend, "is_atomic", False)
        return Outcome(Result.LATER if is_atomic else Result.UNKNOWN, in_words(problem))
    return Outcome(Result.SENT)


def _over_smtp(
    backend: SmtpBackend, email: EmailMessage, recipient: str, point_of_no_return: PointOfNoReturn
) -> Outcome:
    """Send an email over SMTP. If the connection cannot be opened, the outcome is LATER and no attempt is counted."""
    try:
        sender = sanitize_address(email.from_email, "utf-8")
        data = email.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
        backend.open()
    except (ValueError, OSError) as problem:  # DEFAULT_FROM_EMAIL is not an address; smtplib's errors are OSErrors
        return Outcome(Result.LATER, in_words(problem), is_server_away=True, is_untried=True)
    smtp = backend.connection
    if smtp is None:
        return Outcome(Result.LATER, "The connection did not open.", is_server_away=True, is_untried=True)
    try:
        failure = _transmit(smtp, sender, recipient, data)
        if failure:
            return failure
        if point_of_no_return():
            return _finish(smtp)
        smtp.close()  # without the last line of DATA a server delivers nothing
        return Outcome(Result.WITHHELD)
    finally:
        _quit(smtp)


def _transmit(smtp: smtplib.SMTP, sender: str, recipient: str, data: bytes) -> Outcome | None:
    """Send everything up to the last line of DATA, excluding it. Return an outcome if this fails, else None.

    After a failure the server has nothing to deliver.
    """
    try:
        smtp.ehlo_or_helo_if_needed()
        reply = smtp.mail(sender, ["body=8bitmime"] if smtp.has_extn("8bitmime") else [])
        if reply[0] != 250:
            return Outcome(Result.LATER, _text(reply), is_server_away=True)
        reply = smtp.rcpt(recipient)
        if reply[0] not in (250, 251):
            return _rejection(reply)
        reply = smtp.docmd("DATA")
        if reply[0] != 354:
            return _rejection(reply)
        smtp.send(LEADING_DOT.sub(b"..", data) + (b"" if data.endswith(b"\r\n") else b"\r\n"))
    except OSError as problem:
        return Outcome(Result.LATER, in_words(problem), is_server_away=True)
    return None


def _finish(smtp: smtplib.SMTP) -> Outcome:
    """Send the line that ends DATA and read the reply. Without a reply the outcome is UNKNOWN."""
    try:
        smtp.send(b".\r\n")
        reply = smtp.getreply()
    except OSError as problem:
        return Outcome(Result.UNKNOWN, in_words(problem))
    if 200 <= reply[0] < 300:
        return Outcome(Result.SENT)
    return _rejection(reply) if 400 <= reply[0] < 600 else Outcome(Result.UNKNOWN, _text(reply))


def _rejection(reply: Reply) -> Outcome:
    """Return REFUSED for a permanent error (5xx), else LATER."""
    return Outcome(Result.REFUSED if reply[0] >= 500 else Result.LATER, _text(reply))


def _quit(smtp: smtplib.SMTP) -> None:
    """Say QUIT, if still connected, and close. Errors are ignored: the outcome is known already."""
    with suppress(OSError):
        if smtp.sock:  # smtplib sets it to None when a connection breaks
            smtp.sock.settimeout(QUIT_SECONDS)
            smtp.quit()
    smtp.close()


def _text(reply: Reply) -> str:
    return f"{reply[0]} {reply[1].decode(errors='replace')}"

"""Handing a letter to the mail server, knowing at every step whether the server may already have it.

SMTP has one point of no return: the line that ends DATA. Before it a lost connection costs nothing; after it only the
server's answer tells. Django's backend opens the connection (EMAIL_URL); the dialogue is ours: its own does not say.
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

from members.mail import routes
from members.mail.outcome import Outcome, PointOfNoReturn, Result, in_words
from members.mail.providers import over_provider

Reply = tuple[int, bytes]

QUIT_SECONDS = 2.0
LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


def hand_over(email: EmailMessage, stream: str, point_of_no_return: PointOfNoReturn) -> Outcome:
    """Give the letter to the mail server of its stream. `point_of_no_return` is called once, right before it could be
    delivered; when it answers False the letter is withheld. Raises nothing that a mail server or a network can cause.
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
    if not point_of_no_return():
        return Outcome(Result.WITHHELD)
    try:
        backend.send_messages([email])
    except Exception as problem:  # somebody else's backend may raise anything
        writes_whole_or_not_at_all = getattr(backend, "is_atomic", False)
        return Outcome(Result.LATER if writes_whole_or_not_at_all else Result.UNKNOWN, in_words(problem))
    return Outcome(Result.SENT)


def _over_smtp(
    backend: SmtpBackend, email: EmailMessage, recipient: str, point_of_no_return: PointOfNoReturn
) -> Outcome:
    try:
        sender, data = sanitize_address(email.from_email, "utf-8"), email.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
        backend.open()
    except (ValueError, OSError) as problem:  # DEFAULT_FROM_EMAIL is no address; smtplib's errors are OSErrors
        return Outcome(Result.LATER, in_words(problem), is_server_away=True, is_untried=True)
    smtp = backend.connection
    if smtp is None:
        return Outcome(Result.LATER, "The connection did not open.", is_server_away=True, is_untried=True)
    try:
        early = _before_the_end(smtp, sender, recipient, data)
        if early:
            return early
        if point_of_no_return():
            return _the_end(smtp)
        smtp.close()  # without the last line of DATA a server delivers nothing
        return Outcome(Result.WITHHELD)
    finally:
        _leave(smtp)


def _before_the_end(smtp: smtplib.SMTP, sender: str, recipient: str, data: bytes) -> Outcome | None:
    """Everything up to the last line of DATA. An outcome only when it ends here: the server has nothing to deliver."""
    try:
        smtp.ehlo_or_helo_if_needed()
        reply = smtp.mail(sender, ["body=8bitmime"] if smtp.has_extn("8bitmime") else [])
        if reply[0] != 250:
            return Outcome(Result.LATER, _said(reply), is_server_away=True)
        reply = smtp.rcpt(recipient)
        if reply[0] not in (250, 251):
            return _no(reply)
        reply = smtp.docmd("DATA")
        if reply[0] != 354:
            return _no(reply)
        smtp.send(LEADING_DOT.sub(b"..", data) + (b"" if data.endswith(b"\r\n") else b"\r\n"))
    except OSError as problem:
        return Outcome(Result.LATER, in_words(problem), is_server_away=True)
    return None


def _the_end(smtp: smtplib.SMTP) -> Outcome:
    """The line that ends DATA, and the answer. From here on silence means: perhaps."""
    try:
        smtp.send(b".\r\n")
        reply = smtp.getreply()
    except OSError as problem:
        return Outcome(Result.UNKNOWN, in_words(problem))
    if 200 <= reply[0] < 300:
        return Outcome(Result.SENT)
    return _no(reply) if 400 <= reply[0] < 600 else Outcome(Result.UNKNOWN, _said(reply))


def _no(reply: Reply) -> Outcome:
    return Outcome(Result.REFUSED if reply[0] >= 500 else Result.LATER, _said(reply))


def _leave(smtp: smtplib.SMTP) -> None:
    """Say QUIT where it can be said; nothing that happens here changes what became of the letter."""
    with suppress(OSError):
        if smtp.sock:  # smtplib closes by itself when a connection breaks
            smtp.sock.settimeout(QUIT_SECONDS)
            smtp.quit()
    smtp.close()


def _said(reply: Reply) -> str:
    return f"{reply[0]} {reply[1].decode(errors='replace')}"

"""Handing an email to a provider's HTTP API, through django-anymail, and interpreting the answer.

As with SMTP there is a point of no return: once the request is sent, only the answer says whether the email was
accepted. Called by members/mail/handoff.py. Later delivery reports are handled by members/delivery.py.
"""

from __future__ import annotations

import requests
from anymail.backends.base import AnymailBaseBackend
from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused
from django.core.mail import EmailMessage
from urllib3.exceptions import NewConnectionError

from members.errors import in_words
from members.mail.outcome import Outcome, PointOfNoReturn, Result

# Answers that blame the email itself. Every other error is about our account or the provider, and is retried.
FAULTS_OF_THE_EMAIL = frozenset({400, 413, 422})
# A gateway gave up waiting for the provider's servers, which may have accepted the email.
PERHAPS_ACCEPTED = frozenset({502, 504})
LONGEST_ID = 255


def over_provider(backend: AnymailBaseBackend, email: EmailMessage, point_of_no_return: PointOfNoReturn) -> Outcome:
    """Send an email through a provider's API, with one request; return the outcome.

    `point_of_no_return` is called right before the request; if it returns False, the email is withheld. Raises nothing
    that a provider or a network can cause.
    """
    if type(backend).__module__.endswith(".postmark"):
        email.extra_headers["X-PM-KeepID"] = "true"  # otherwise Postmark replaces our Message-ID
    try:
        backend.open()
        if not point_of_no_return():
            return Outcome(Result.WITHHELD)
        backend.send_messages([email])
    except Exception as problem:  # anymail's errors, those of requests and, for some providers, of an SDK
        return _outcome(problem)
    finally:
        backend.close()
    return Outcome(Result.SENT, provider_id=_provider_id(email))


def _outcome(problem: Exception) -> Outcome:
    """Return what an exception means: REFUSED, UNKNOWN if the email may have been accepted, else LATER."""
    if isinstance(problem, AnymailRecipientsRefused | AnymailInvalidAddress):
        return Outcome(Result.REFUSED, in_words(problem))
    status = getattr(problem, "status_code", None)
    if status in FAULTS_OF_THE_EMAIL:
        return Outcome(Result.REFUSED, in_words(problem))
    if status in PERHAPS_ACCEPTED or _is_unanswered(problem):
        return Outcome(Result.UNKNOWN, in_words(problem), is_server_away=True)
    return Outcome(Result.LATER, in_words(problem), is_server_away=True, is_untried=status is None)


def _is_unanswered(problem: Exception) -> bool:
    """Return whether the request may have arrived: it was sent, and then the connection broke or timed out."""
    if isinstance(problem, requests.ConnectTimeout):
        return False
    if isinstance(problem, requests.Timeout | requests.exceptions.ChunkedEncodingError):
        return True
    if not isinstance(problem, requests.ConnectionError):
        status = getattr(problem, "status_code", None)
        return status is not None and 200 <= status < 300  # accepted, with an answer that anymail cannot parse
    cause: BaseException | None = problem
    while cause is not None:
        reasons = (cause, getattr(cause, "reason", None), *getattr(cause, "args", ()))
        if any(isinstance(reason, NewConnectionError | requests.exceptions.SSLError) for reason in reasons):
            return False
        cause = cause.__cause__ or cause.__context__
    return True


def _provider_id(email: EmailMessage) -> str:
    """Return the id that the provider gave the email, or an empty text."""
    status = getattr(email, "anymail_status", None)
    found = getattr(status, "message_id", None)
    return found[:LONGEST_ID] if isinstance(found, str) else ""

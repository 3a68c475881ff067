"""Handing a letter to a provider's interface, through django-anymail, and reading what its answer means.

As with SMTP there is a point of no return: once the request has left, only an answer tells whether it was taken. What
providers tell afterwards comes in by members/delivery.py.
"""

from __future__ import annotations

import requests
from anymail.backends.base import AnymailBaseBackend
from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused
from django.core.mail import EmailMessage
from urllib3.exceptions import NewConnectionError

from members.mail.outcome import Outcome, PointOfNoReturn, Result, in_words

# The answers to a letter that is at fault itself; every other error is about us or the provider, and passes.
FAULTS_OF_THE_LETTER = frozenset({400, 413, 422})
# A gateway gave up waiting for what stands behind it: perhaps it was taken.
PERHAPS_TAKEN = frozenset({502, 504})
LONGEST_ID = 255


def over_provider(backend: AnymailBaseBackend, email: EmailMessage, point_of_no_return: PointOfNoReturn) -> Outcome:
    """Once, without a repeat of its own. Raises nothing that a provider or a network can cause."""
    if type(backend).__module__.endswith(".postmark"):
        email.extra_headers["X-PM-KeepID"] = "true"  # otherwise it puts its own Message-ID in place of ours
    try:
        backend.open()
        if not point_of_no_return():
            return Outcome(Result.WITHHELD)
        backend.send_messages([email])
    except Exception as problem:  # anymail's own errors, requests' and, of some providers, an SDK's
        return _meaning(problem)
    finally:
        backend.close()
    return Outcome(Result.SENT, provider_id=_provider_id(email))


def _meaning(problem: Exception) -> Outcome:
    if isinstance(problem, AnymailRecipientsRefused | AnymailInvalidAddress):
        return Outcome(Result.REFUSED, in_words(problem))
    status = getattr(problem, "status_code", None)
    if status in FAULTS_OF_THE_LETTER:
        return Outcome(Result.REFUSED, in_words(problem))
    if status in PERHAPS_TAKEN or _left_without_an_answer(problem):
        return Outcome(Result.UNKNOWN, in_words(problem), is_server_away=True)
    return Outcome(Result.LATER, in_words(problem), is_server_away=True, is_untried=status is None)


def _left_without_an_answer(problem: Exception) -> bool:
    """Whether the request may have arrived: it was sent, and then the line broke or nobody answered in time."""
    if isinstance(problem, requests.ConnectTimeout):
        return False
    if isinstance(problem, requests.Timeout | requests.exceptions.ChunkedEncodingError):
        return True
    if not isinstance(problem, requests.ConnectionError):
        status = getattr(problem, "status_code", None)
        return status is not None and 200 <= status < 300  # it said yes in words that nobody understands
    cause: BaseException | None = problem
    while cause is not None:
        reasons = (cause, getattr(cause, "reason", None), *getattr(cause, "args", ()))
        if any(isinstance(reason, NewConnectionError | requests.exceptions.SSLError) for reason in reasons):
            return False
        cause = cause.__cause__ or cause.__context__
    return True


def _provider_id(email: EmailMessage) -> str:
    status = getattr(email, "anymail_status", None)
    found = getattr(status, "message_id", None)
    return found[:LONGEST_ID] if isinstance(found, str) else ""

"""Build and render a sample in a transaction that is always rolled back: nothing is stored and nothing is sent.

Called by the desk's pages about emails (payments/desk/letters.py) and by tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape

from django.db import transaction

from members.mail.rendering import NOTHING_MORE, Letter, render
from members.models import Message
from payments.desk.samples.catalogue import SAMPLES
from payments.desk.samples.people import SamplePerson
from payments.desk.samples.rows import giver

PREHEADER = re.compile(r'(?s)<div class="preheader"[^>]*>(.*?)</div>')


@dataclass(frozen=True)
class Shown:
    """An email as it would be sent, with the preheader that mail programs show in a list."""

    letter: Letter
    stream: str
    preheader: str

    @property
    def words(self) -> int:
        """Return the number of words in the text part, leaving out lines and signs."""
        return sum(any(c.isalnum() for c in word) for word in self.letter.text.split())

    @property
    def size(self) -> int:
        """Return the size of the HTML part in bytes."""
        return len(self.letter.html.encode())


@contextmanager
def made(kind: str, case: str, person: SamplePerson, language: str) -> Iterator[Message]:
    """Yield the email as a row, or as an unsaved draft, until the block ends and everything is rolled back.

    Raises KeyError for an unknown kind or case, and LookupError if the case builds no email.
    """
    with transaction.atomic():
        message = SAMPLES[kind].cases[case].make(giver(person, language))
        if message is None:
            raise LookupError(f"The sample {kind}/{case} builds no email.")
        yield message
        transaction.set_rollback(True)


def show(kind: str, case: str, person: SamplePerson, language: str) -> Shown:
    """Return a sample email, rendered for this person in this language. Stores nothing.

    Raises KeyError for an unknown kind or case, LookupError if the case builds no email.
    """
    with made(kind, case, person, language) as message:
        letter = render(message)
    found = PREHEADER.search(letter.html)
    words = unescape(found[1]).replace(NOTHING_MORE, "") if found else ""
    return Shown(letter, message.stream, " ".join(words.split()))

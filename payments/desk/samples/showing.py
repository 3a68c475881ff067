"""A sample, made and shown. Its rows live in a transaction that is always rolled back: nothing stays, nothing is sent.

Called by the desk's page of letters and by tests.
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
    """A letter as it would leave, and what a list of mails shows of it."""

    letter: Letter
    stream: str
    preheader: str

    @property
    def words(self) -> int:
        """Of the text part, as a reader would count."""
        return sum(any(c.isalnum() for c in word) for word in self.letter.text.split())

    @property
    def size(self) -> int:
        """The HTML part, in bytes."""
        return len(self.letter.html.encode())


@contextmanager
def made(kind: str, case: str, person: SamplePerson, language: str) -> Iterator[Message]:
    """The letter as a row, or as the draft of one, for as long as the block lasts. Raises KeyError for no such case."""
    with transaction.atomic():
        message = SAMPLES[kind].cases[case].make(giver(person, language))
        if message is None:
            raise LookupError(f"The sample {kind}/{case} makes no letter.")
        yield message
        transaction.set_rollback(True)


def show(kind: str, case: str, person: SamplePerson, language: str) -> Shown:
    """The letter of this kind and case to this person in this language."""
    with made(kind, case, person, language) as message:
        letter = render(message)
    found = PREHEADER.search(letter.html)
    words = unescape(found[1]).replace(NOTHING_MORE, "") if found else ""
    return Shown(letter, message.stream, " ".join(words.split()))

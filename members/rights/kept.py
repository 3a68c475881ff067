"""The privacy map of `members`: what is kept about people, why, how long, and what erasing does to it."""

from __future__ import annotations

from django.db.models import Q

from members.mail.kinds import Stream
from members.models import (
    ApiKey,
    DeliveryReport,
    Level,
    LevelAmount,
    LevelName,
    MailChoice,
    Membership,
    Message,
    Newsroom,
    Supporter,
    Suppression,
    TimelineEntry,
    Tombstone,
)
from members.rights.lines import Basis, Erase, Kept, Line, Period
from members.rights.person import Person

CONTRACT, CONSENT, LAW, INTEREST = Basis.CONTRACT, Basis.CONSENT, Basis.LAW, Basis.INTEREST
KNOWN, BOOKS, LETTER, REPORT = Period.KNOWN, Period.BOOKS, Period.LETTER, Period.REPORT


def _messages(person: Person) -> Q:
    """Return the condition for emails to the person, not those that staff with the same address get."""
    return Q(supporter=person.number) | Q(supporter=None) & ~Q(stream=Stream.STAFF) & person.with_address("to_email")


SUPPORTERS = (
    Kept(
        Supporter,
        lambda person: Q(pk=person.number),
        {
            "email": Line("to thank, to write and to find", CONTRACT, KNOWN, Erase.ADDRESS),
            "name": Line("to greet, and to tell apart", CONTRACT, KNOWN, Erase.EMPTIED),
            "language": Line("to write in it", CONTRACT, KNOWN, Erase.EMPTIED),
            "public_id": Line("to name the row in links", CONTRACT, BOOKS, Erase.SEALED),
        },
    ),
    Kept(
        TimelineEntry,
        lambda person: Q(supporter=person.number),
        {
            "action": Line("to explain later what was done", INTEREST, KNOWN, Erase.SEALED),
            "details": Line("to explain later what was done", INTEREST, KNOWN, Erase.EMPTIED),
        },
    ),
    Kept(
        Membership,
        lambda person: Q(supporter=person.number),
        {"source": Line("to know which gift pays for it", CONTRACT, BOOKS, Erase.SEALED)},
    ),
)

LETTERS = (
    Kept(
        Message,
        _messages,
        {
            "kind": Line("to know what was said", CONTRACT, BOOKS, Erase.SEALED),
            "key": Line("to send nothing twice", CONTRACT, BOOKS, Erase.SEALED),
            "to_email": Line("to prove where it was sent", CONTRACT, LETTER, Erase.ADDRESS),
            "language": Line("to send it again", CONTRACT, LETTER, Erase.EMPTIED),
            "context": Line("to send it again", CONTRACT, LETTER, Erase.EMPTIED),
            "subject": Line("to prove what was said", CONTRACT, LETTER, Erase.EMPTIED),
            "body_text": Line("to prove what was said", CONTRACT, LETTER, Erase.EMPTIED),
            "body_html": Line("to prove what was said", CONTRACT, LETTER, Erase.EMPTIED),
            "error": Line("to know why it did not arrive", INTEREST, LETTER, Erase.EMPTIED),
            "provider_id": Line("to match the provider's reports", INTEREST, LETTER, Erase.EMPTIED),
        },
    ),
    Kept(
        MailChoice,
        lambda person: Q(supporter=person.number),
        {"kind": Line("to respect the choice", CONTRACT, KNOWN, Erase.ROW)},
    ),
    Kept(
        Suppression,
        lambda person: person.with_address("email"),
        {"email": Line("not to write again", INTEREST, KNOWN, Erase.HASHED)},
    ),
    Kept(
        DeliveryReport,
        lambda person: Q(message__in=Message.objects.filter(_messages(person))),
        {
            "report_id": Line("to store a report once", INTEREST, REPORT, Erase.ROW),
            "words": Line("to know why it did not arrive", INTEREST, REPORT, Erase.ROW),
        },
    ),
)

NOBODY = (
    Kept(Newsroom, nothing=("values", "why")),  # of the newsroom and its staff, not of readers
    Kept(ApiKey, nothing=("name", "scope", "hashed_key")),
    Kept(Level, nothing=("slug",)),
    Kept(LevelName, nothing=("language", "name")),
    Kept(LevelAmount, nothing=("currency",)),
    # Keyed hashes, and the id of a row that names nobody any more.
    Kept(Tombstone, nothing=("mark", "supporter_public_id")),
)

KEPT = (*SUPPORTERS, *LETTERS, *NOBODY)

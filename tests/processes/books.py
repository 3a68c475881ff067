"""What a burst of gifts must leave behind, whatever died meanwhile. Amounts are minor units of euros."""

from __future__ import annotations

from collections import Counter
from email import message_from_bytes
from typing import Any

from tests.processes.theatre import Theatre


def received(books: dict[str, Any]) -> tuple[int, int]:
    """Payments in euros, and their sum in minor units."""
    row = books["currencies"].get("EUR", {"payments": 0, "gross": 0})
    return row["payments"], row["gross"]


def assert_booked_once(
    theatre: Theatre, before: dict[str, Any], letters: int, gifts: int, *, may_be_unknown: bool = False
) -> None:
    """So many gifts of 10 euros more in the books, and so many letters more in the folder, each of them once.

    `may_be_unknown`: a sender may have lost the database right after it wrote a letter. Nobody sends that one again.
    """
    theatre.calm()
    books = theatre.books()
    payments, gross = received(before)
    assert received(books) == (payments + gifts, gross + gifts * 1000)
    assert books["supporters"] == before["supporters"] + gifts
    # Fees are told late: such an event may have come just now.
    states = Counter(books["operations"]["events"])
    assert states.keys() <= {"processed", "ignored", "pending"}, states
    more = Counter(books["operations"]["messages"]) - Counter(before["operations"]["messages"])
    assert more.keys() <= {"sent", "unknown"}, more
    assert more.total() == gifts
    assert more["unknown"] <= (2 if may_be_unknown else 0)
    assert letters + more["sent"] <= len(theatre.letters()) <= letters + gifts
    ids = [message_from_bytes(path.read_bytes())["Message-ID"] for path in theatre.letters()]
    assert len(set(ids)) == len(ids)

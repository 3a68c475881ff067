"""References such as HR-7K4M-2Q for checkouts, receipts and bank transfers: short enough to read out on the phone."""

from __future__ import annotations

import secrets

# Without vowels, 0/O, 1/I/L and U/V: nothing that is misread or spells a word.
ALPHABET = "23456789BCDFGHJKMNPQRSTWXZ"


def new() -> str:
    """Return a new random reference. It may be taken: only the database's constraint says so, then draw another."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(6))
    return f"HR-{drawn[:4]}-{drawn[4:]}"

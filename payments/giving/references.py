"""Human references such as HR-7K4M-2Q: on every checkout, receipt and bank transfer, short enough to be read aloud."""

from __future__ import annotations

import secrets

# No vowels, no 0/O, 1/I/L, U/V: nothing that is misread or spells a word.
ALPHABET = "23456789BCDFGHJKMNPQRSTWXZ"


def new() -> str:
    """A fresh random reference. Unique only by the database's constraint: ask again when it is taken."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(6))
    return f"HR-{drawn[:4]}-{drawn[4:]}"

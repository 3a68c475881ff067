"""Builders: each function returns one Stripe object with the fields of the pinned SDK version, and stores nothing."""

from __future__ import annotations


def nothing(names: str) -> dict[str, None]:
    """Return these fields (names separated by spaces) as null: they get a value later, or never in the simulator."""
    return dict.fromkeys(names.split())

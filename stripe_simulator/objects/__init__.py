"""Builders: each makes one Stripe object with the fields of the SDK's pinned version, and stores nothing."""

from __future__ import annotations


def nothing(names: str) -> dict[str, None]:
    """The fields of an object that are null until something happens, or always null here."""
    return dict.fromkeys(names.split())

"""What can go wrong with people and mail, named after what went wrong. Doors turn these into words."""

from __future__ import annotations


class AddressTaken(Exception):
    """Another supporter is known by this address already."""

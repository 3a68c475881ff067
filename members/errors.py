"""Exceptions of this app, named after what went wrong. Views and admin pages turn them into messages."""

from __future__ import annotations


class AddressTaken(Exception):
    """Another supporter already has this address."""

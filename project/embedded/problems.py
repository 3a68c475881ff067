"""What can go wrong while starting a server, said in one sentence that tells what to do."""

from __future__ import annotations


class CannotStart(Exception):
    """An embedded server cannot be started. The text is for people: what is wrong and what to do."""

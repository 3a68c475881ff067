"""The error raised when an embedded server cannot be started."""

from __future__ import annotations


class CannotStart(Exception):
    """An embedded server cannot be started. The message is for people: what is wrong and what to do."""

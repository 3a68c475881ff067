"""What came of a story in letters."""

from __future__ import annotations

from members.models import Message


def kinds() -> list[str]:
    """Of all letters, in the order in which they were owed."""
    return list(Message.objects.order_by("pk").values_list("kind", flat=True))


def words(kind: str) -> str:
    """The newest letter of a kind as text, its lines joined."""
    return " ".join(Message.objects.filter(kind=kind).latest("pk").body_text.split())

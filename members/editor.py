"""Who signs letters and the ask: the newsroom's editor, as the reader's language writes it."""

from __future__ import annotations

from django.conf import settings


def editor(language: str) -> dict[str, str]:
    """Name and role; empty where the newsroom itself signs."""
    return {
        "editor_name": settings.EDITOR_NAMES.get(language) or settings.EDITOR_NAME,
        "editor_role": settings.EDITOR_ROLES.get(language) or settings.EDITOR_ROLE,
    }

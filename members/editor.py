"""The editor who signs emails and appeals, in the reader's language. Called by rendering.py and project/context.py."""

from __future__ import annotations

from django.conf import settings


def editor(language: str) -> dict[str, str]:
    """Return the editor's name and role in this language; empty texts if the newsroom itself signs."""
    return {
        "editor_name": settings.EDITOR_NAMES.get(language) or settings.EDITOR_NAME,
        "editor_role": settings.EDITOR_ROLES.get(language) or settings.EDITOR_ROLE,
    }

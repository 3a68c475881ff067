"""The editor who signs emails and appeals, in the reader's language. Called by rendering.py and project/context.py."""

from __future__ import annotations

from members.newsroom import values as newsroom
from members.newsroom.fields import FIELDS


def editor(language: str) -> dict[str, str]:
    """Return the editor's name and role in this language; empty texts if the newsroom itself signs."""
    return {"editor_name": _in("EDITOR_NAME", language), "editor_role": _in("EDITOR_ROLE", language)}


def _in(name: str, language: str) -> str:
    own = f"{name}_{language.upper()}"
    return (newsroom.text(own) if own in FIELDS else "") or newsroom.text(name)

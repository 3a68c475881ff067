"""Show a sent email to staff: same words and same looks, without the personal links that only its reader may use.

Our pages allow no inline styles, and emails are full of them: each becomes a rule of one style sheet.
"""

from __future__ import annotations

import html
import re

from members.links import signed

STYLE = re.compile(r"""\sstyle=(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
SHEET = re.compile(r"<style\b[^>]*>", re.IGNORECASE)
DARK_ONLY = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)", re.IGNORECASE)
BOTH_SCHEMES = re.compile(r"\blight dark\b")
HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)


def without_keys(text: str) -> str:
    """Return the email with the secret part of each personal link replaced by `…`.

    With such a link, staff could act as the supporter.
    """
    return signed.IN_ADDRESS.sub(r"\1…", text)


def by(scheme: str, letter: str) -> str:
    """Return the HTML email in its `light` or `dark` look, whichever the viewer's device prefers."""
    media = "@media all" if scheme == "dark" else "@media not all"
    return BOTH_SCHEMES.sub(scheme, DARK_ONLY.sub(media, letter))


def as_page(letter: str, nonce: str) -> str:
    """Return the HTML email with inline styles moved into a style sheet with this nonce, and personal links cut."""
    rules: list[str] = []

    def moved(match: re.Match[str]) -> str:
        declarations = html.unescape(match[1] if match[1] is not None else match[2])
        rules.append(f'[data-look="{len(rules)}"]{{{declarations}}}'.replace("<", r"\3c "))
        return f' data-look="{len(rules) - 1}"'

    page = SHEET.sub(f'<style nonce="{nonce}">', without_keys(letter))
    page = STYLE.sub(moved, page)
    sheet = f'<style nonce="{nonce}">{"".join(rules)}</style>'
    return HEAD_END.sub(lambda end: sheet + end[0], page, count=1) if HEAD_END.search(page) else sheet + page

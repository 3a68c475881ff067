"""A sent letter as staff may look at it: the same words and looks, without the keys that only its reader may hold.

Our pages allow no inline style, and letters are made of it: here each style becomes a rule of one style sheet.
"""

from __future__ import annotations

import html
import re

from members.links import signed

# These links open a person's own pages: with one of them staff could act as the reader.
PERSONAL_LINK = re.compile(rf"/({'|'.join(signed.PATHS)})/[^/\s\"'<>?#]+")
STYLE = re.compile(r"""\sstyle=(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
SHEET = re.compile(r"<style\b[^>]*>", re.IGNORECASE)
DARK_ONLY = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)", re.IGNORECASE)
BOTH_SCHEMES = re.compile(r"\blight dark\b")
HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)


def without_keys(text: str) -> str:
    """The letter with the personal part of each personal link cut out."""
    return PERSONAL_LINK.sub(r"/\1/…", text)


def by(scheme: str, letter: str) -> str:
    """The letter by day (`light`) or by night (`dark`), whatever the device of whoever looks at it prefers."""
    media = "@media all" if scheme == "dark" else "@media not all"
    return BOTH_SCHEMES.sub(scheme, DARK_ONLY.sub(media, letter))


def as_page(letter: str, nonce: str) -> str:
    """The HTML letter for a page whose policy allows only style sheets with this nonce."""
    rules: list[str] = []

    def moved(match: re.Match[str]) -> str:
        declarations = html.unescape(match[1] if match[1] is not None else match[2])
        rules.append(f'[data-look="{len(rules)}"]{{{declarations}}}'.replace("<", r"\3c "))
        return f' data-look="{len(rules) - 1}"'

    page = SHEET.sub(f'<style nonce="{nonce}">', without_keys(letter))
    page = STYLE.sub(moved, page)
    sheet = f'<style nonce="{nonce}">{"".join(rules)}</style>'
    return HEAD_END.sub(lambda end: sheet + end[0], page, count=1) if HEAD_END.search(page) else sheet + page

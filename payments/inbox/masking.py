"""Mask a stored event for staff: its structure and ids stay readable, personal values are replaced.

Works on any bytes, because the inbox stores events as received. Called by the desk's pages of events, and of messages
for their errors.
"""

from __future__ import annotations

import json
import re
from typing import Any

from payments.stripe_api import objects

MASK = "•••"
PERSONAL = frozenset(
    """email name phone line1 line2 postal_code ip ip_address user_agent business_name individual_name
    account_holder_name account_number iban number tax_id value description comment""".split()  # noqa: SIM905
)
ENDINGS = ("_email", "_name", "_phone", "_ip", "address", "_url", "_pdf", "_secret")
# Values that give access: a URL at Stripe can open a person's receipt or checkout.
SECRETS = frozenset({"url", "client_secret"})
# Text about anybody: the answer to a dispute, and metadata written by other software.
FREE_TEXT = frozenset({"evidence", "metadata"})
OURS = frozenset({objects.METADATA_CHECKOUT, objects.METADATA_REFUND_REQUEST})
WITHIN_ADDRESS = frozenset({"city", "state", "town"})
EMAIL = re.compile(r"[^\s\"'<>@]+@[^\s\"'<>@]+")


def masked(payload: bytes) -> str | None:
    """Return the payload as indented JSON with personal values replaced, or None if it is not JSON. Never raises."""
    try:
        text = json.dumps(_masked(json.loads(payload)), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return None
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair is valid JSON, but not a valid page


def without_addresses(text: str) -> str:
    """Return a text, such as an error, with email addresses replaced."""
    return EMAIL.sub(MASK, text)


def _masked(value: Any, key: str = "", parent: str = "", *, is_free: bool = False) -> Any:
    """Return a JSON value with personal values masked; `key` and `parent` are the names it stands under.

    `is_free`: it is somewhere inside free text, where everything is masked but our own ids in `metadata`.
    """
    if isinstance(value, dict):
        is_free = is_free or key.lower() in FREE_TEXT
        return {without_addresses(name): _masked(inner, name, key, is_free=is_free) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, key, parent, is_free=is_free) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    if (is_free and not (parent == "metadata" and key in OURS)) or _is_personal(key.lower(), parent.lower()):
        return MASK
    return without_addresses(value) if isinstance(value, str) else value


def _is_personal(key: str, parent: str) -> bool:
    if key in PERSONAL or key in SECRETS or key.endswith(ENDINGS):
        return True
    return key in WITHIN_ADDRESS and parent.endswith("address")

"""Email addresses: the form in which they are stored and compared, so that one person has one address.

A domain outside ASCII has two spellings (RFC 5890): we store the one in ASCII, which mail servers and Stripe take.
"""

from __future__ import annotations

import idna


def normal(email: str) -> str:
    """Return an address as it is stored: trimmed, its domain in ASCII by IDNA 2008. One without a domain only trimmed.

    A domain that IDNA does not allow stays as it is; `is_plain` tells.
    """
    email = email.strip()
    local, at, domain = email.rpartition("@")
    if not at or domain.isascii():
        return email
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return email


def is_plain(email: str) -> bool:
    """Return whether an address is in ASCII throughout, as `normal` leaves every address that we accept.

    A letter that only looks like another one would be somebody else's address: lower() makes the Kelvin sign a k.
    """
    return email.isascii()


def readable(email: str) -> str:
    """Return an address for people to read, with its domain in its own script."""
    local, at, domain = email.rpartition("@")
    try:
        return f"{local}{at}{idna.decode(domain)}" if "xn--" in domain.lower() else email
    except idna.IDNAError:
        return email

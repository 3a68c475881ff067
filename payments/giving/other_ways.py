"""Ways to give without a card: a bank transfer with its reference and code, and links the newsroom names.

Nothing is written down here: a transfer becomes known when it arrives, by its reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import segno
from django.conf import settings

from payments import money
from payments.giving import references

# Countries whose accounts can be paid by a SEPA transfer: European Payments Council, EPC409-09.
SEPA = frozenset(
    (
        "AD",
        "AL",
        "AT",
        "BE",
        "BG",
        "CH",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GB",
        "GI",
        "GR",
        "HR",
        "HU",
        "IE",
        "IS",
        "IT",
        "LI",
        "LT",
        "LU",
        "LV",
        "MC",
        "MD",
        "ME",
        "MK",
        "MT",
        "NL",
        "NO",
        "PL",
        "PT",
        "RO",
        "RS",
        "SE",
        "SI",
        "SK",
        "SM",
        "VA",
    )
)


@dataclass(frozen=True)
class Transfer:
    """What a bank needs. `amount` is in cents of the euro, or None for any amount."""

    beneficiary: str
    iban: str
    bic: str
    reference: str
    amount: int | None = None

    @property
    def iban_in_groups(self) -> str:
        return " ".join(self.iban[start : start + 4] for start in range(0, len(self.iban), 4))

    @property
    def code(self) -> Code | None:
        """The same details as a code for banking apps; None for an account that SEPA does not reach."""
        return Code.of(epc_payload(self)) if has_field() else None


@dataclass(frozen=True)
class Code:
    """A QR code as an SVG path, one unit a module. `size` includes four modules of quiet on every side."""

    size: int
    path: str

    @classmethod
    def of(cls, payload: str) -> Code:
        matrix = segno.make(payload, error="m", micro=False, boost_error=False, encoding="utf-8").matrix
        runs = [_runs(row, y) for y, row in enumerate(matrix)]
        return cls(len(matrix) + 8, "".join(runs))


@dataclass(frozen=True)
class Way:
    label: str
    url: str


def transfer(amount: int | None = None) -> Transfer | None:
    """A transfer with a fresh reference; None where the newsroom has named no account."""
    if not settings.BANK_IBAN:
        return None
    iban = settings.BANK_IBAN.replace(" ", "").upper()
    return Transfer(settings.BANK_BENEFICIARY, iban, settings.BANK_BIC, references.new(), amount)


def has_field() -> bool:
    """Whether the page asks for an amount: for the code alone, so only where there is one."""
    return settings.BANK_IBAN.strip()[:2].upper() in SEPA


def epc_payload(transfer: Transfer) -> str:
    """The lines of a SEPA credit transfer code: European Payments Council, EPC069-12, version 002."""
    amount = "" if transfer.amount is None else f"EUR{money.to_major(transfer.amount, 'EUR'):.2f}"
    lines = ["BCD", "002", "1", "SCT", transfer.bic, transfer.beneficiary[:70], transfer.iban, amount]
    return "\n".join([*lines, "", "", transfer.reference])


def links() -> list[Way]:
    """OTHER_WAYS_LINKS, written `Label|https://...`. What is not an address is left out."""
    pairs = [entry.partition("|") for entry in settings.OTHER_WAYS_LINKS]
    return [Way(label.strip(), url.strip()) for label, _, url in pairs if url.strip().startswith("https://")]


def _runs(row: bytearray, y: int) -> str:
    """The dark runs of one row, as rectangles one module high."""
    path, x = "", 0
    while x < len(row):
        if not row[x]:
            x += 1
            continue
        length = next((i for i, module in enumerate(row[x:]) if not module), len(row) - x)
        path += f"M{x + 4} {y + 4}h{length}v1h-{length}z"
        x += length
    return path

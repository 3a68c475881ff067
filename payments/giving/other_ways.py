"""Ways to give without a card: a bank transfer with a reference and a QR code, and links set by the newsroom.

Nothing is stored: the reference is only shown. Called by the page /support/other-ways/.
"""

from __future__ import annotations

from dataclasses import dataclass

import segno

from members.newsroom import values as newsroom
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
    """The details of a bank transfer. `amount` is in euro cents, or None for any amount."""

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
        """Return the details as a QR code for banking apps; None if the account is outside SEPA."""
        return Code.of(epc_payload(self)) if has_field() else None


@dataclass(frozen=True)
class Code:
    """A QR code as an SVG path, one unit per module. `size` includes a quiet zone of four modules on every side."""

    size: int
    path: str

    @classmethod
    def of(cls, payload: str) -> Code:
        """Return the QR code of a text."""
        matrix = segno.make(payload, error="m", micro=False, boost_error=False, encoding="utf-8").matrix
        runs = [_runs(row, y) for y, row in enumerate(matrix)]
        return cls(len(matrix) + 8, "".join(runs))


@dataclass(frozen=True)
class Way:
    """A link to another way to give, set by the newsroom."""

    label: str
    url: str


def transfer(amount: int | None = None) -> Transfer | None:
    """Return the details of a transfer with a new reference; None if BANK_IBAN is not set.

    `amount` is in euro cents, None for any amount.
    """
    iban = newsroom.text("BANK_IBAN").replace(" ", "").upper()
    if not iban:
        return None
    return Transfer(newsroom.text("BANK_BENEFICIARY"), iban, newsroom.text("BANK_BIC"), references.new(), amount)


def has_field() -> bool:
    """Return whether the page asks for an amount. Only the QR code needs it, and only SEPA accounts have one."""
    return newsroom.text("BANK_IBAN").strip()[:2].upper() in SEPA


def epc_payload(transfer: Transfer) -> str:
    """Return the text of a SEPA credit transfer QR code: European Payments Council, EPC069-12, version 002."""
    amount = "" if transfer.amount is None else f"EUR{money.to_major(transfer.amount, 'EUR'):.2f}"
    lines = ["BCD", "002", "1", "SCT", transfer.bic, transfer.beneficiary[:70], transfer.iban, amount]
    return "\n".join([*lines, "", "", transfer.reference])


def links() -> list[Way]:
    """Return the links of the setting OTHER_WAYS_LINKS, written `Label|https://...`; others than https are left out."""
    pairs = [entry.partition("|") for entry in newsroom.lines("OTHER_WAYS_LINKS")]
    return [Way(label.strip(), url.strip()) for label, _, url in pairs if url.strip().startswith("https://")]


def _runs(row: bytearray, y: int) -> str:
    """Return the dark modules of row `y` as rectangles of an SVG path, one for each run."""
    path, x = "", 0
    while x < len(row):
        if not row[x]:
            x += 1
            continue
        length = next((i for i, module in enumerate(row[x:]) if not module), len(row) - x)
        path += f"M{x + 4} {y + 4}h{length}v1h-{length}z"
        x += length
    return path

"""The form fields of a payment method, shared by the checkout and the portal: their HTML, and reading them.

`method` is card or sepa; then `card_number` and `card_expiry`, or `iban`. A button named `example` pays with its value.
"""

from __future__ import annotations

import re
from html import escape

from stripe_simulator.life.methods import Means
from stripe_simulator.world.cards import ACCOUNTS, CARDS, UnknownNumber

Form = dict[str, str]


def means(form: Form, types: list[str]) -> Means:
    """Return the payment method typed into the form. Raises UnknownNumber with a sentence for the page."""
    example = form.get("example", "")
    if example in ACCOUNTS or (form.get("method") == "sepa" and not example):
        if "sepa_debit" not in types:
            raise UnknownNumber("Bank debits are not offered for this payment.")
        return Means(card=None, iban=example or form.get("iban", ""))
    if "card" not in types:
        raise UnknownNumber("Cards are not offered for this payment.")
    return Means(card=example or form.get("card_number", ""), expires=_expiry(form.get("card_expiry", "")))


def _expiry(text: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(?:20)?(\d{2})\s*", text)
    if not text.strip():
        return None
    if not match or not 1 <= int(match[1]) <= 12:
        raise UnknownNumber("Write the expiry date as MM/YY.")
    return int(match[1]), 2000 + int(match[2])


def text(name: str, label: str, value: str, more: str = "") -> str:
    return (
        f'<p class="field"><label for="{name}">{label}</label>'
        f'<input class="input" id="{name}" name="{name}" value="{escape(value)}" {more}></p>'
    )


def ways(types: list[str], form: Form) -> str:
    number = form.get("card_number", "4242 4242 4242 4242")
    card = text("card_number", "Card number", number, 'inputmode="numeric" autocomplete="off"')
    card += text(
        "card_expiry",
        "Expires (MM/YY; empty: in six years)",
        form.get("card_expiry", ""),
        'autocomplete="off" size="7"',
    )
    if "sepa_debit" not in types:
        return _only("Card", "card", card)
    sepa = form.get("method") == "sepa"
    iban = text("iban", "IBAN", form.get("iban", "DE89 3704 0044 0532 0130 00"), 'autocomplete="off"')
    if "card" not in types:
        return _only("SEPA bank debit", "sepa", iban)
    choice = "".join(
        f'<label class="tick"><input type="radio" name="method" value="{value}"{" checked" if on else ""}>'
        f"<span>{label}</span></label>"
        for value, label, on in (("card", "Card", not sepa), ("sepa", "SEPA bank debit", sepa))
    )
    return (
        f"<fieldset><legend>How to pay</legend>{choice}"
        f'<div class="when-card stack">{card}</div><div class="when-sepa stack">{iban}</div></fieldset>'
    )


def _only(legend: str, value: str, inputs: str) -> str:
    hidden = f'<input type="hidden" name="method" value="{value}">'
    return f'<fieldset><legend>{legend}</legend>{hidden}<div class="stack">{inputs}</div></fieldset>'


def examples(types: list[str]) -> str:
    rows = []
    if "card" in types:
        rows += [(card.number, _spaced(card.number), card.label) for card in CARDS.values()]
    if "sepa_debit" in types:
        rows += [(account.iban, _spaced(account.iban), account.label) for account in ACCOUNTS.values()]
    items = "".join(
        f'<li><button class="button plain" name="example" value="{value}" formnovalidate>'
        f"<code>{shown}</code> {escape(label)}</button></li>"
        for value, shown, label in rows
    )
    summary = "<summary>Test numbers: each button pays with it</summary>"
    return f'<details>{summary}<ul class="examples">{items}</ul></details>'


def _spaced(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))

"""The test cards and test bank accounts, and how each behaves at the first payment and at renewal.

Numbers are Stripe's own where Stripe has one with the same behaviour. Any other number is refused: the simulator must
never accept a real card.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """Why a payment failed: Stripe's codes and Stripe's sentence."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    number: str
    label: str
    first: Decline | None = None
    renewal: Decline | None = None
    authenticate: bool = False
    always_authenticate: bool = False


@dataclass(frozen=True)
class Account:
    iban: str
    label: str
    fails: Decline | None = None


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.")
CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
AUTHENTICATION = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
OFF_SESSION = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
MANDATE = Decline("payment_intent_mandate_invalid", None, "The mandate for this bank account is no longer valid.")
LAPSED = Decline("payment_intent_payment_attempt_expired", None, "The payment attempt has expired.")
BANK = Decline("debit_not_authorized", None, "The bank refused the debit.")

CARDS: dict[str, Card] = {
    card.number: card
    for card in (
        Card("4242424242424242", "Pays"),
        Card("5555555555554444", "Pays (Mastercard)"),
        Card("4000002500003155", "Asks for 3-D Secure", authenticate=True),
        Card("4000000000000341", "Pays now, fails at renewal", renewal=GENERIC),
        Card("4000002760003184", "Asks for 3-D Secure every time", authenticate=True, always_authenticate=True),
        Card("4000000000000002", "Is declined", first=GENERIC, renewal=GENERIC),
        Card("4000000000009995", "Has insufficient funds", first=FUNDS, renewal=FUNDS),
        Card("4000000000000069", "Has expired", first=EXPIRED, renewal=EXPIRED),
        Card("4000000000000127", "Has a wrong security code", first=CVC, renewal=CVC),
    )
}

DECLINED_RANGE = "9999"

ACCOUNTS: dict[str, Account] = {
    account.iban: account
    for account in (
        Account("DE89370400440532013000", "Settles after five days"),
        Account("DE62370400440532013001", "Fails after five days", fails=BANK),
    )
}


class UnknownNumber(ValueError):
    """The number is no test card or test account of the simulator."""


def card(number: str) -> Card:
    """Return the test card with this number. Raises UnknownNumber.

    Sixteen digits that begin with 9999, which no real card does, are a card of its own that is declined.
    """
    digits = "".join(number.split()).replace("-", "")
    if len(digits) == 16 and digits.isascii() and digits.isdigit() and digits.startswith(DECLINED_RANGE):
        return Card(digits, "Is declined, each a card of its own", first=GENERIC, renewal=GENERIC)
    if digits not in CARDS:
        raise UnknownNumber("This is not one of the simulator's test cards. Never type a real card here.")
    return CARDS[digits]


def account(iban: str) -> Account:
    """Return the test account with this IBAN. Raises UnknownNumber."""
    code = "".join(iban.split()).upper()
    if code not in ACCOUNTS:
        raise UnknownNumber("This is not one of the simulator's test bank accounts. Never type a real one here.")
    return ACCOUNTS[code]


def brand(number: str) -> str:
    return {"4": "visa", "5": "mastercard", "3": "amex"}.get(number[0], "unknown")

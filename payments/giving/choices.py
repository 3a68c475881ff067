"""A reader's choice and details: values that the forms check and hand to the checkout, and the dates of payments.

Amounts are in minor units of the currency. Used by the reader's pages, and for dates by recurring/changes.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from appeals.models import Appeal, Campaign
from payments import money, rhythms
from payments.models import Checkout, Frequency


@dataclass(frozen=True)
class Choice:
    """A gift that a reader chose: frequency, amount in minor units, currency, and the appeal it came through.

    `again` is the token of a link to give again (payments/giving/own_customers.py), not yet checked, or "".
    """

    frequency: str
    amount: int
    currency: str
    campaign: Campaign | None = None
    appeal: Appeal | None = None
    article: str = ""
    again: str = ""

    @property
    def is_recurring(self) -> bool:
        return self.frequency != Frequency.ONCE

    def next_on(self, first: date) -> date | None:
        """Return the day of the second payment if the first is on this day; None for a one-off gift."""
        return next_on(self.frequency, first)

    def fields(self) -> dict[str, str]:
        """Return the choice as parameters of the giving pages' addresses and forms, without empty ones."""
        given = {
            "frequency": str(self.frequency),
            "amount": money.plain(self.amount, self.currency),
            "currency": self.currency,
            "campaign": self.campaign.slug if self.campaign else "",
            "appeal": self.appeal.slug if self.appeal else "",
            "article": self.article,
            "again": self.again,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class Person:
    """A reader as they described themselves. `name` may be ""; `language` is that of the page."""

    email: str
    name: str
    language: str


def of_checkout(checkout: Checkout) -> Choice:
    """Return the choice that led to a checkout, to offer it again."""
    return Choice(
        checkout.frequency, checkout.amount, checkout.currency, checkout.campaign, checkout.appeal, checkout.article
    )


def next_on(frequency: str, first: date, times: int = 1) -> date | None:
    """Return the day of the payment `times` periods after the first one; None for a one-off gift.

    It keeps the first payment's day of the month where the month has it: 31 January, 28 February, 31 March.
    """
    if frequency == Frequency.ONCE:
        return None
    return rhythms.later(first, frequency, times)

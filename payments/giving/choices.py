"""What a reader chose and who they say they are: values that pass from the forms to the checkout, and their dates.

No rule about money lives here; the forms check, the checkout acts. Amounts are in minor units of the currency.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from appeals.models import Appeal, Campaign
from payments import money
from payments.models import Checkout, Frequency


@dataclass(frozen=True)
class Choice:
    frequency: str
    amount: int
    currency: str
    campaign: Campaign | None = None
    appeal: Appeal | None = None
    article: str = ""

    @property
    def is_recurring(self) -> bool:
        return self.frequency != Frequency.ONCE

    def next_on(self, first: date) -> date | None:
        """When money moves after the first day; None for a gift given once."""
        return next_on(self.frequency, first)

    def fields(self) -> dict[str, str]:
        """The choice as the parameters that the pages take."""
        given = {
            "frequency": str(self.frequency),
            "amount": money.plain(self.amount, self.currency),
            "currency": self.currency,
            "campaign": self.campaign.slug if self.campaign else "",
            "appeal": self.appeal.slug if self.appeal else "",
            "article": self.article,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class Person:
    email: str
    name: str
    language: str


def of_checkout(checkout: Checkout) -> Choice:
    """What was chosen for an attempt that was made, to offer it again."""
    return Choice(
        checkout.frequency, checkout.amount, checkout.currency, checkout.campaign, checkout.appeal, checkout.article
    )


def next_on(frequency: str, first: date, times: int = 1) -> date | None:
    """The day of the payment `times` periods after the first, anchored there: 31 January, 28 February, 31 March."""
    if frequency == Frequency.ONCE:
        return None
    months = first.month - 1 + times * (12 if frequency == Frequency.YEAR else 1)
    year, month = first.year + months // 12, months % 12 + 1
    return date(year, month, min(first.day, monthrange(year, month)[1]))

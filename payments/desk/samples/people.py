"""The invented supporters of the samples: an ordinary one, and others that each strain an email in another way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class SamplePerson:
    """An invented supporter: `monthly`, `yearly` and `once` are gifts in minor units of `currency`."""

    slug: str
    label: Any
    name: str
    language: str = "en"
    currency: str = "EUR"
    monthly: int = 1000
    yearly: int = 10000
    once: int = 2500
    method: str = "Visa 4242"
    is_discreet: bool = False

    def gives(self, frequency: str) -> int:
        """Return the amount for a frequency, in minor units of the person's currency."""
        return {"month": self.monthly, "year": self.yearly, "once": self.once}[frequency]


PEOPLE = {
    person.slug: person
    for person in (
        SamplePerson("ordinary", _("An ordinary reader"), "Olena Kovalenko"),
        SamplePerson(
            "long",
            _("A very long name, a very large gift"),
            "Wolfeschlegelsteinhausenberger Maria-Theodora von und zu Hohenlohe-Waldenburg-Schillingsfürst",
            currency="CAD",
            monthly=10_000_000,
            yearly=10_000_000,
            once=10_000_000,
            method="Mastercard 5454",
        ),
        SamplePerson("nameless", _("No name"), "", method="SEPA 3000"),
        SamplePerson("yen", _("A gift in yen"), "Haruto Sato", currency="JPY", monthly=1500, yearly=15_000, once=4000),
        SamplePerson(
            "ukrainian",
            _("In Ukrainian"),
            "Мар’яна Ковальчук",
            "uk",
            "UAH",
            monthly=20_000,
            yearly=200_000,
            once=50_000,
        ),
        SamplePerson("discreet", _("Discreet letters"), "Taras Bondar", is_discreet=True),
    )
}

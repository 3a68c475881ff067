"""Random lives: people give, cards fail, banks take back, Stripe answers badly, events come late, twice, or never.

At rest everything is told and worked; then the books must equal Stripe's balance to the minor unit, per currency.
"""

from __future__ import annotations

from tests.machine.agreements import Agreements
from tests.machine.banks import Banks, Dashboard
from tests.machine.people import Readers, Staff
from tests.machine.rest import Rest
from tests.machine.weather import Weather


class Lives(Readers, Staff, Banks, Dashboard, Agreements, Weather, Rest):
    """Every rule there is. A life takes place on a stage of its own, which the test gives (`stage_of`)."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from members import clock
from payments import daily


class Command(BaseCommand):
    help = "DEBUG only: moves the business date, and the Stripe simulator's with it, a day at a time; prints it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--advance", type=int, metavar="DAYS", help="move forward this many days")
        parser.add_argument("--to", type=date.fromisoformat, metavar="DATE", help="move forward to this date")
        parser.add_argument("--reset", action="store_true", help="back to real time (only the business date)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The clock can be moved only with DEBUG on.")
        if options["reset"]:
            clock.reset()
        days = options["advance"] or 0
        if options["to"]:
            days = (options["to"] - clock.today()).days
        if days < 0:
            raise CommandError("The clock only moves forward; --reset takes it back to today.")
        for _ in range(days):
            daily.advance_business_date(1)
            _move_simulator()
        self.stdout.write(clock.today().isoformat())


def _move_simulator() -> None:
    """Move the simulator's clock one day forward, after ours, so that its events of the new day have its date."""
    if not settings.STRIPE_IS_SIMULATED:
        return
    try:
        requests.post(f"{settings.STRIPE_API_BASE}/_simulator/clock", json={"days": 1}, timeout=60).raise_for_status()
    except requests.RequestException as error:
        raise CommandError(f"The Stripe simulator at {settings.STRIPE_API_BASE} does not answer.") from error

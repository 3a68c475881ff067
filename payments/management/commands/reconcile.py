from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from payments.models import Difference
from payments.reconciling import comparison, missed_events


class Command(BaseCommand):
    help = "Fetches missed events, compares with Stripe and prints the differences. Exits with an error if any is open."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", metavar="DATE", help="look back to this day at least, YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        since = _start_of(options["since"]) if options["since"] else None
        events = missed_events.collect()
        if events and not events.error:
            self.stdout.write(f"{events.looked_at} events listed, {events.found} were missing here")
        run = comparison.run(since)
        if run is None:
            raise CommandError("Another comparison is under way. Its differences will be at the staff desk.")
        if run.error:
            raise CommandError(f"The comparison stopped early: {run.error}. Try again; nothing was changed.")
        self.stdout.write(f"{run.looked_at} objects compared, {run.since:%Y-%m-%d %H:%M} to {run.until:%Y-%m-%d %H:%M}")
        self._print_open_differences()

    def _print_open_differences(self) -> None:
        """Print every open difference, also of earlier runs. Raises CommandError if there is any."""
        rows = Difference.objects.filter(state=Difference.State.OPEN).order_by("happened_at", "pk")
        for row in rows.iterator():
            our_value = row.ours or "nothing"
            stripe_value = row.theirs or "nothing"
            self.stdout.write(f"{row.kind} {row.stripe_id} {row.field}: ours {our_value}, Stripe's {stripe_value}")
        if count := rows.count():
            raise CommandError(f"{count} differences are open. Close them at the staff desk.")
        self.stdout.write("In step with Stripe.")


def _start_of(text: str) -> datetime:
    """Return the first moment of a day given as YYYY-MM-DD. Raises CommandError if it is no date."""
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"{text} is not a date. Write it as YYYY-MM-DD.")
    return timezone.make_aware(datetime.combine(day, time.min))

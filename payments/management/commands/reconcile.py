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
    help = "Fetches events that never came, compares with Stripe, prints the differences. Non-zero exit when some are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", metavar="DATE", help="look back to this day at least, YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        since = _start_of(options["since"]) if options["since"] else None
        events = missed_events.collect()
        if events and not events.error:
            self.stdout.write(f"{events.looked_at} events listed, {events.found} had never come")
        run = comparison.run(since)
        if run is None:
            raise CommandError("Another comparison is under way. Its differences are at the desk.")
        if run.error:
            raise CommandError(f"Not compared to the end: {run.error}. Try again; nothing was changed.")
        self.stdout.write(f"{run.looked_at} objects compared, {run.since:%Y-%m-%d %H:%M} to {run.until:%Y-%m-%d %H:%M}")
        self._tell()

    def _tell(self) -> None:
        rows = Difference.objects.filter(state=Difference.State.OPEN).order_by("happened_at", "pk")
        for row in rows.iterator():
            ours, theirs = row.ours or "nothing", row.theirs or "nothing"
            self.stdout.write(f"{row.kind} {row.stripe_id} {row.field}: ours {ours}, Stripe's {theirs}")
        if count := rows.count():
            raise CommandError(f"{count} differences are open. Settle them at the desk.")
        self.stdout.write("In step with Stripe.")


def _start_of(text: str) -> datetime:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"{text} is not a date. Write it as YYYY-MM-DD.")
    return timezone.make_aware(datetime.combine(day, time.min))

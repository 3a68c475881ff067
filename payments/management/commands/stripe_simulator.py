from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from payments import daily
from stripe_simulator import KEY_PREFIX, Simulator, serve


class Command(BaseCommand):
    help = "DEBUG only: simulates Stripe on this machine. Its control page is at /_simulator/."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1; 0 takes a free port")
        parser.add_argument("--store", type=Path, help="its own SQLite file (default: in DATA_DIR)")
        parser.add_argument("--webhook-url", help="where events go (default: this site's endpoint)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The simulator of Stripe runs only with DEBUG on.")
        if not settings.STRIPE_SECRET_KEY.startswith(KEY_PREFIX):
            raise CommandError(f"STRIPE_SECRET_KEY is not the simulator's: its keys begin with {KEY_PREFIX}.")
        if not settings.STRIPE_WEBHOOK_SECRETS:
            raise CommandError("STRIPE_WEBHOOK_SECRETS is empty: the simulator would have nothing to sign with.")
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        with serve(simulator_for(options), port=options["port"]) as running:
            self.stdout.write(f"Stripe's stand-in listens on {running.url} (controls: {running.url}/_simulator/)")
            self.stdout.flush()
            stopped.wait()


def simulator_for(options: dict[str, Any]) -> Simulator:
    """Return a simulator with this installation's keys and the command's options."""
    return Simulator(
        store_path=options["store"] or settings.DATA_DIR / "stripe_simulator.sqlite3",
        webhook_url=options["webhook_url"] or f"{settings.SITE_URL}/webhooks/stripe/",
        webhook_secret=settings.STRIPE_WEBHOOK_SECRETS[0],
        secret_key=settings.STRIPE_SECRET_KEY,
        on_advance=_advance_business_date,
        late_fees=True,
        payout_days=7,
        retry_days=(3, 7, 15),  # long enough for all four emails about a failed payment
        # Dates move by whole days here: a draft of an hour would be paid on the day after its renewal.
        draft_seconds=0,
    )


def _advance_business_date(days: int) -> date:
    """Move the business date for the simulator's control page. Closes the connection of the page's thread."""
    try:
        return daily.advance_business_date(days)
    finally:
        connection.close()

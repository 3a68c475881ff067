from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from payments.demo import history, scenery


class Command(BaseCommand):
    help = "Fills an empty development installation with demo data, through the simulator. Does nothing a second time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="migrate the database first")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.STRIPE_IS_SIMULATED:
            raise CommandError("Demo data can only be made with DEBUG on and Hromada's own Stripe simulator.")
        if options["migrate"]:
            call_command("migrate", interactive=False, verbosity=0)
        password = scenery.make_staff()
        if not history.is_there():
            history.make(self._tell)
        self.stdout.write(f"Staff login: desk / {password}")

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

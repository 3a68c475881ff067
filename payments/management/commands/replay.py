from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from payments.inbox import replay


class Command(BaseCommand):
    help = "Processes all events again that were given up, or those of one type or with one error."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dead", action="store_true", required=True, help="the events that were given up")
        parser.add_argument("--type", default="", help="only of this type or family, such as invoice.paid or invoice")
        parser.add_argument("--error", default="", help="only with an error that begins so, such as IntegrityError")

    def handle(self, *args: Any, **options: Any) -> None:
        events = replay.given_up(options["type"], options["error"])
        for group in replay.groups(replay.workable(events)):
            self.stdout.write(f"{group.type}: {group.count}")
        self.stdout.write(f"{replay.replay(events)} events wait to be processed again")

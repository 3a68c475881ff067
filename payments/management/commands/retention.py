from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.rights import ageing


class Command(BaseCommand):
    help = "Removes data about people that is older than the settings KEEP_..._DAYS say, as a task does every night."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would be removed")
        parser.add_argument("--json", action="store_true", help="machine-readable")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            counted = ageing.counts()
        elif run := ageing.run():
            counted = run.counts
        else:
            raise CommandError("Another run is at it.")
        if options["json"]:
            self.stdout.write(json.dumps(counted))
            return
        for name, count in counted.items():
            self.stdout.write(f"{name}: {count}")
        self.stdout.write("Nothing was removed." if options["dry_run"] else "Done.")

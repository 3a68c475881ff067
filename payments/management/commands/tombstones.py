from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members.rights import tombstones


class Command(BaseCommand):
    help = "Prints all tombstones, or writes them to a file, to be kept apart from the backups. They name nobody."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", default="", help="a file; it is replaced")

    def handle(self, *args: Any, **options: Any) -> None:
        text = "".join(f"{line}\n" for line in tombstones.written())
        if not options["to"]:
            sys.stdout.write(text)
            return
        try:
            tombstones.replace_file(Path(options["to"]), text)
        except OSError as problem:
            raise CommandError(f"The file cannot be written: {problem.strerror}.") from problem

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members.rights import tombstones
from payments.rights import erasing


class Command(BaseCommand):
    help = "After restoring a backup: erases everybody again who was erased since. Run it before anything else starts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="", help="tombstones from the command of that name")

    def handle(self, *args: Any, **options: Any) -> None:
        given = Path(options["file"]) if options["file"] else tombstones.copy_path()
        if given.exists() or options["file"]:
            try:
                known = tombstones.read_back(given.read_text(encoding="utf-8").splitlines())
            except (OSError, ValueError) as problem:
                raise CommandError("The file cannot be read as tombstones. Nothing was done.") from problem
            self.stdout.write(f"{known} tombstones in {given.name}")
        self.stdout.write(f"{erasing.erase_returned()} people erased again")

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.errors import NobodyKnown
from payments.rights import export, people


class Command(BaseCommand):
    help = "Writes all that is kept about one person, and nobody else's data: a JSON file, and a page to read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", help="their address, or the public id of their row")
        parser.add_argument("--to", default=".", help="the folder for the two files; it must exist")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(options["to"])
        if not folder.is_dir():
            raise CommandError("There is no such folder.")
        try:
            made = export.make(people.find(options["person"]), "command")
        except NobodyKnown as problem:
            raise CommandError("Nothing is kept about this person.") from problem
        for ending, text in (("json", made.data), ("html", made.page)):
            path = folder / f"{made.name}.{ending}"
            # Only the user who runs this may read it; what is there already is not written over.
            try:
                with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                    file.write(text)
            except OSError as problem:
                raise CommandError(f"{path.name} cannot be written: {problem.strerror}.") from problem
            self.stdout.write(str(path))

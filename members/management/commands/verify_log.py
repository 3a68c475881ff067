"""`manage.py verify_log`: check that no row of the log of staff was changed, added by hand or taken out."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from members.staff import staff_log


class Command(BaseCommand):
    help = "Check the chain of the log of staff. Keep the last digest elsewhere: it must be in every later log."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = staff_log.verify()
        self.stdout.write(f"{verdict.rows} rows, the last digest is {verdict.last}")
        if verdict.broken:
            self.stderr.write(f"Broken at row {', '.join(map(str, verdict.broken))}.")
            sys.exit(1)
        self.stdout.write("The chain is whole.")

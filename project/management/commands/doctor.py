from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from project.doctor import Level, examine


class Command(BaseCommand):
    help = "Check this installation: one line per finding; the exit code is not zero if a check fails."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines: a list of findings")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in examine():
            findings.append(finding)
            if not options["json"]:
                self.stdout.write(str(finding))
                self.stdout.flush()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
        failed = sum(finding.level == Level.FAIL for finding in findings)
        if failed:
            raise CommandError(f"{failed} of {len(findings)} findings must be fixed.")

"""`manage.py create_api_key NAME --scope SCOPE`: creates an API key and prints it once."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from members import api_keys
from members.staff import staff_log


class Command(BaseCommand):
    help = "Create an API key for another server and print it. It is shown once: only its hash is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="What the key is for, such as: website")
        parser.add_argument("--scope", required=True, choices=api_keys.SCOPES, help="What it may be used for")

    def handle(self, *args: object, name: str, scope: str, **options: object) -> None:
        key, text = api_keys.create(name[:80], scope)
        staff_log.record(None, "apikey.created", key)
        self.stderr.write(f"Key “{name[:80]}” for {scope}. Keep it now: it cannot be shown again.")
        self.stdout.write(text)

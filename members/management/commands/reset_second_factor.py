"""`manage.py reset_second_factor NAME`: let a locked-out colleague set a new second factor at the next sign-in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from members.staff import factor, staff_log


class Command(BaseCommand):
    help = "Remove somebody's second factor and recovery codes, and end their sessions. Their password stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the name for signing in to the desk")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError("Nobody signs in with this name.")
        had_one = factor.reset(user)
        staff_log.record(None, "colleague.factor_reset", user)
        self.stdout.write("Removed. It is set anew at the next sign-in." if had_one else "There was none.")

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.errors import NobodyKnown
from payments.models import Erasure
from payments.rights import erasing, people
from payments.rights.erasing import Preview


class Command(BaseCommand):
    help = (
        "Erases a person: stops their gifts, erases everything here but facts of the books, and deletes their "
        "customers at Stripe. Without --yes it prints what would happen."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", help="their address, or the public id of their row")
        parser.add_argument("--yes", action="store_true", help="do it; it cannot be undone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = people.find(options["person"])
        except NobodyKnown as problem:
            raise CommandError("Nothing is kept about this person.") from problem
        if not options["yes"]:
            self.stdout.write(in_words(erasing.preview(person)))
            return
        erasure = erasing.erase(person, "command")
        self.stdout.write(f"Erased here. Its number for questions: {erasure.supporter.public_id}")
        if erasure.state != Erasure.State.DONE:
            self.stdout.write("Stripe has not answered everything yet. It is asked again every minute.")


def in_words(preview: Preview) -> str:
    """Return for people what erasing would do."""
    lines = [
        f"Gifts that end at once: {preview.gifts}",
        f"Customers deleted at Stripe: {preview.customers}",
        f"Payments that stay in the books, without a name: {preview.payments}",
        f"Payments with the bank, which are booked if their money comes: {preview.with_bank}",
        "Rows that are erased or lose what leads to the person:",
        *(f"  {label}: {number}" for label, number in sorted(preview.rows.items())),
        "Nothing was done. With --yes it is done, and cannot be undone.",
    ]
    return "\n".join(lines)

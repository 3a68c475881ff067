from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments import money
from payments.reconciling import invariants


class Command(BaseCommand):
    help = "Checks the invariants and prints the totals of the ledger. Exits with an error if an invariant is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="machine-readable, amounts in minor units")

    def handle(self, *args: Any, **options: Any) -> None:
        report = invariants.report()
        self.stdout.write(json.dumps(report, indent=2, sort_keys=True) if options["json"] else _words(report))
        if report["broken"]:
            raise CommandError("The ledger is not consistent: " + "; ".join(report["broken"]))


def _words(report: dict[str, Any]) -> str:
    """Return the report for people: totals by currency, counts, the agreement with Stripe, and the invariants."""
    lines = [
        f"{code}: {row['payments']} payments, {money.format(row['gross'], code, 'en')} given, "
        f"{money.format(row['refunds'], code, 'en')} refunded"
        for code, row in report["currencies"].items()
    ]
    lines.append(
        f"{report['supporters']} supporters, {report['active_memberships']} active memberships, "
        f"{report['active_subscriptions']} active subscriptions"
    )
    stripe = report["operations"]["stripe"]
    agreed = f"last agreed {stripe['agreed_at']}" if stripe["agreed_at"] else "never agreed yet"
    words = "In step with Stripe" if stripe["in_step"] else f"Not in step with Stripe ({', '.join(stripe['troubles'])})"
    lines.append(f"{words}, {agreed}.")
    return "\n".join([*lines, "The ledger is consistent." if not report["broken"] else "The ledger is not consistent."])

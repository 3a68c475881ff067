from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from payments.errors import KeyRefused, SiteNotSafe, StripeRefused, StripeUnavailable
from payments.stripe_api.client import API_VERSION
from payments.stripe_api.event_types import HANDLED
from payments.webhooks import registration

# The check in project/checks.py that wants the secret to be there.
MADE_HERE = "hromada.E013"


class Command(BaseCommand):
    help = "Makes or corrects the webhook endpoint at Stripe: our address, our event types, our API version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--switch-off-older",
            action="store_true",
            help="also switch off other endpoints with our address, such as one of an older API version",
        )

    def check(self, *args: Any, **options: Any) -> None:
        """Run the system checks but for the one that wants the secret: this command makes it."""
        settings.SILENCED_SYSTEM_CHECKS = [*settings.SILENCED_SYSTEM_CHECKS, MADE_HERE]
        super().check(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = registration.register()
            self._print_result(done)
            for older in done.older:
                self._handle_older(older, is_unwanted=options["switch_off_older"])
        except SiteNotSafe:
            raise CommandError(
                f"{registration.address()} is not https, and the key is a live one: set SITE_URL to the https address."
            ) from None
        except (KeyRefused, StripeRefused) as error:
            raise CommandError(
                f"Stripe refused ({error}). A restricted key needs Webhook Endpoints: write for this command."
            ) from error
        except StripeUnavailable as error:
            raise CommandError(f"Stripe did not answer ({error}). Run this again: nothing is done twice.") from error

    def _print_result(self, done: registration.Registered) -> None:
        """Print the changes to the endpoint, or, if it was created, its signing secret with the next steps."""
        if done.secret:
            self.stdout.write(
                f"{done.endpoint_id} made: {registration.address()}, {len(HANDLED)} event types, "
                f"API version {API_VERSION}."
            )
            self.stdout.write("Its signing secret, shown only this once:")
            self.stdout.write(done.secret)
            self.stdout.write(
                "Put it into STRIPE_WEBHOOK_SECRETS and restart web. While another endpoint still delivers, keep its "
                "secret too, after a comma."
            )
            return
        changes = "; ".join(done.changes) or "nothing to change"
        self.stdout.write(f"{done.endpoint_id} at {registration.address()}: {changes}.")

    def _handle_older(self, endpoint_id: str, *, is_unwanted: bool) -> None:
        """Switch off another endpoint with our address if that is wanted, else print how to."""
        if is_unwanted:
            registration.switch_off(endpoint_id)
            self.stdout.write(f"{endpoint_id} switched off.")
        else:
            self.stdout.write(
                f"{endpoint_id} has the same address and still delivers. Once web has both secrets, run: "
                "manage.py stripe_endpoint --switch-off-older"
            )

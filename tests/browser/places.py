"""Where the pages are, and how they get into each of their states: by giving, and by what Stripe then does."""

from __future__ import annotations

from urllib.parse import urlsplit

from members.links import signed
from payments.giving import checkout as checkouts
from payments.models import Checkout, Subscription
from tests.stage import Stage

SEPA, SEPA_FAILS = "DE89370400440532013000", "DE62370400440532013001"
MONTHLY = "frequency=month&amount=10&currency=EUR"
YEARLY = "frequency=year&amount=100&currency=EUR"
ONCE = "frequency=once&amount=25&currency=EUR"
WRONG_AMOUNT = "/support/details/?frequency=year&amount=other&other_amount=ten&currency=EUR"

AMOUNT = [
    ("amount", "/support/"),
    ("amount yearly", "/support/?frequency=year&currency=UAH"),
    ("amount once", "/support/?frequency=once&currency=JPY"),
    ("amount other", "/support/?amount=other&other_amount=12.50"),
    ("amount nothing chosen", "/support/details/"),
    ("amount wrong", WRONG_AMOUNT),
    ("amount too large", "/support/details/?frequency=once&amount=999999&currency=EUR"),
    ("amount no such currency", "/support/details/?frequency=once&amount=10&currency=XXX"),
]
DETAILS = [
    ("details monthly", f"/support/details/?{MONTHLY}"),
    ("details yearly", f"/support/details/?{YEARLY}"),
    ("details once", f"/support/details/?{ONCE}"),
]
WORDS = [
    ("questions", "/support/questions/"),
    ("give safely", "/support/give-safely/"),
    ("privacy", "/support/privacy/"),
    ("terms", "/support/terms/"),
    ("contact", "/support/contact/"),
    ("no such link", "/support/return/unknown/"),
]


def return_page(checkout: Checkout) -> str:
    return urlsplit(checkouts.return_url(checkout)).path


def stop_page() -> str:
    """Of the newest recurring gift."""
    newest = Subscription.objects.order_by("pk").last()
    assert newest is not None
    return f"/stop/{signed.sign('stop', str(newest.public_id))}/"


def return_pages(stage: Stage) -> list[tuple[str, str]]:
    """Seven gifts and what became of each."""
    failed = stage.join("once", amount="25", iban=SEPA_FAILS, email="failed@example.org")
    stage.advance(6)
    expired = stage.give("once", amount="25", email="late@example.org")
    stage.stripe.expire(expired.stripe_session_id)
    once = stage.join("once", amount="25", email="once@example.org")
    monthly = stage.join("month", amount="10")
    processing = stage.join("month", amount="25", iban=SEPA, email="debit@example.org", name="")
    left = stage.give("year", amount="100", email="left@example.org")
    asked = stage.give("month", amount="20", email="asked@example.org")
    pages = {
        "failed": failed,
        "expired": expired,
        "paid once": once,
        "paid monthly": monthly,
        "processing": processing,
        "not finished": left,
        "checking": asked,
    }
    left_page = f"{return_page(left)}?left=1"
    return [
        (f"return {name}", left_page if checkout is left else return_page(checkout)) for name, checkout in pages.items()
    ] + [("return not known yet", f"{return_page(asked)}?try=6")]

"""One account of a gift at every door: in each state the pages of a gift say the same to readers and machines."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client

from members import clock
from members.links import signed
from payments.models import Subscription
from tests import factories

pytestmark = pytest.mark.django_db

DOORS: dict[str, Callable[[Subscription], str]] = {
    "return": lambda row: f"/support/return/{signed.sign('return', str(row.checkout.public_id))}/",  # type: ignore[union-attr]
    "stop": lambda row: f"/stop/{signed.sign('stop', str(row.public_id))}/",
    "method": lambda row: f"/method/{signed.sign('method', str(row.public_id))}/",
    "confirm": lambda row: f"/confirm/{signed.sign('confirm', str(row.payments.latest('pk').public_id))}/",
}
NOW = datetime.now(UTC)


def gift(payment: str = "succeeded", **values: object) -> Subscription:
    """Return a gift of 12 euros a month, renewing in ten days; its last payment has this status."""
    giver = factories.supporter()
    checkout = factories.checkout(giver, amount=1200, status="complete")
    ends = NOW + timedelta(days=10)
    ordinary = {"amount": 1200, "renews_on": clock.day_of(ends), "current_period_end": ends}
    row = factories.subscription(giver, checkout=checkout, **{**ordinary, **values})
    facts = {"subscription": row, "amount": 1200, "frequency": "month"}
    factories.payment(giver, checkout=checkout, created_at=NOW - timedelta(days=21), **facts)
    if payment != "succeeded":
        more = {"failing_since": NOW, "stripe_invoice_id": "in_open"} if payment == "failed" else {}
        factories.payment(giver, status=payment, created_at=NOW, **{**facts, **more})
    return row


STATES: dict[str, Callable[[], Subscription]] = {
    "active": gift,
    "past_due": lambda: gift("failed", status="past_due"),
    "paused": lambda: gift(collection_paused=True, resumes_at=NOW + timedelta(days=70)),
    "ending": lambda: gift(cancel_at_period_end=True),
    "ended": lambda: gift(status="canceled", ended_at=NOW),
}


def said(path: str) -> tuple[str, dict[str, str]]:
    """Return the words of a page and the attributes of its gift."""
    answer = Client().get(path)
    assert answer.status_code == 200
    page = answer.content.decode()
    [found] = re.findall(r"<[a-z]+ [^>]*data-gift=[^>]*>", page)
    return unescape(re.sub(r"<[^>]+>|\s+", " ", page)), dict(re.findall(r'data-([a-z-]+)="([^"]*)"', found))


@pytest.mark.parametrize("state", STATES)
def test_in_each_state_every_door_says_the_same(state: str) -> None:
    row = STATES[state]()
    found = {door: said(path(row))[1] for door, path in DOORS.items()}
    assert {facts["state"] for facts in found.values()} == {state}
    assert {facts["gift"] for facts in found.values()} == {str(row.public_id)}
    assert len({tuple(sorted(facts.items())) for facts in found.values()}) == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("past_due", "The last payment did not go through."),
        ("paused", "This gift is paused."),
        ("ending", "This gift is stopped."),
        ("ended", "This gift has ended."),
    ],
)
def test_the_return_page_opened_later_says_what_the_gift_is_now(state: str, words: str) -> None:
    text, _ = said(DOORS["return"](STATES[state]()))
    assert words in text
    assert "You are a patron now" not in text


def test_what_is_overdue_can_be_mended_from_the_return_page() -> None:
    """Not every failure is emailed: a supporter whose other gift goes on gets none."""
    page = Client().get(DOORS["return"](STATES["past_due"]())).content.decode()
    [path] = re.findall(r'href="(/method/[^"]+)"', page)
    assert "The payment that is open is tried at once" in said(path)[0]


def test_a_gift_that_was_lowered_and_paused_says_neither_the_old_sum_nor_the_old_day() -> None:
    row = gift(amount=1000, collection_paused=True, resumes_at=NOW + timedelta(days=70))
    text, facts = said(DOORS["return"](row))
    assert facts["amount"] == "1000"
    assert facts["next-on"] > row.renews_on.isoformat()
    assert "€10 instead of €12" in text.replace("\xa0", " ").replace(".00", "")


@pytest.mark.parametrize("door", ["return", "stop"])
def test_a_debit_under_way_is_named_although_the_gift_is_stopped(door: str) -> None:
    row = gift("processing", cancel_at_period_end=True)
    text, facts = said(DOORS[door](row))
    assert (facts["state"], facts["with-bank"]) == ("ending", "1200")
    assert "€12" in text

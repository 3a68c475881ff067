"""The letter about a renewal that failed: the one page that helps, and nothing that would not."""

from __future__ import annotations

import re

import pytest

from members.mail_letters import render
from payments import emails
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("code", "page"), [("insufficient_funds", "method"), ("", "method"), ("authentication_required", "confirm")]
)
def test_it_offers_the_one_page_that_helps_and_no_pause(code: str, page: str) -> None:
    gift = factories.subscription(status="past_due")
    payment = factories.payment(
        gift.supporter, subscription=gift, frequency="month", status="failed", failure_code=code, paid_at=None,
        stripe_invoice_id="in_1",
    )  # fmt: skip
    message = emails.payment_failed(payment)
    assert message is not None
    letter = render(message)
    for text in (letter.text, letter.html):
        assert re.findall(r"https?://[^/]+/(method|confirm|stop)/[^/]+/", text) == [page, "stop"]
        assert "pause" not in text.lower(), "a payment that is behind would still be tried"

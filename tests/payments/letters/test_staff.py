"""Staff are emailed about new patrons once and about large gifts immediately; no email names a supporter."""

from __future__ import annotations

from typing import Any

import pytest

from members import clock
from members.mail import outbox
from members.mail.rendering import render
from members.models import Message
from payments.letters import staff as staff_letters
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _addresses(settings: Any) -> None:
    settings.STAFF_GIFT_EMAILS = ["marta@courier.example", "ivan@courier.example"]


def patron(**values: Any) -> Any:
    who = factories.supporter(name="Olena Kovalenko", email=values.pop("email", None) or "olena@example.org")
    return factories.subscription(who, started_at=clock.now(), **values)


def test_new_patrons_are_told_once_to_everybody_and_only_the_new_ones() -> None:
    patron(campaign=factories.campaign(title="Winter"))
    assert len(staff_letters.new_patrons()) == 2
    assert staff_letters.new_patrons() == []
    patron(email="other@example.org", amount=2000)
    (letter, _second) = staff_letters.new_patrons()
    drawn = render(letter)
    assert drawn.subject == "New patron: €20.00 every month"
    first = render(Message.objects.order_by("pk")[0])
    assert "€10.00 every month, through “Winter”" in first.text
    for part in (first.subject, first.text, first.html):
        assert "olena" not in part.lower()


def test_a_letter_that_is_sent_again_tells_nobody_twice_and_silences_nothing() -> None:
    patron()
    first = staff_letters.new_patrons()[0]
    patron(email="second@example.org")
    staff_letters.new_patrons()
    outbox.resend(first)
    assert staff_letters.new_patrons() == []
    patron(email="third@example.org")
    assert [letter.context["number"] for letter in staff_letters.new_patrons()] == [1, 1]


def test_many_are_counted() -> None:
    for number in range(staff_letters.LISTED + 2):
        patron(email=f"reader{number}@many.example")
    drawn = render(staff_letters.new_patrons()[0])
    assert drawn.subject == "22 new patrons"
    assert drawn.text.count("every month") == staff_letters.LISTED
    assert "And 2 more." in drawn.text


@pytest.mark.parametrize(
    ("amount", "currency", "is_large"),
    [
        (50_000, "EUR", True),
        (49_999, "EUR", False),
        (70_000, "JPY", True),
        (69_999, "JPY", False),
        (10**9, "XXX", False),
    ],
)
def test_what_a_large_gift_is(amount: int, currency: str, is_large: bool) -> None:
    payment = factories.payment(amount=amount, currency=currency)
    for _twice in range(2):
        staff_letters.note_large_gift(payment)
    assert Message.objects.count() == (2 if is_large else 0)


def test_nobody_to_tell_means_no_letter(settings: Any) -> None:
    settings.STAFF_GIFT_EMAILS = []
    patron()
    staff_letters.note_large_gift(factories.payment(amount=10**7))
    assert staff_letters.new_patrons() == []
    assert not Message.objects.exists()

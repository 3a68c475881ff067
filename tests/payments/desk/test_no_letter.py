"""The pages of acts whose email cannot be sent: the address is suppressed, and the page says why."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from members import suppressions
from members.models import Message, Suppression
from payments.models import Case, Payment, Subscription
from tests import factories
from tests.journeys.test_duplicates import at_desk, confirming
from tests.payments.desk.test_refunding import ANSWERS, address, confirmed
from tests.stage import Stage

pytestmark = pytest.mark.django_db
CAME_BACK = "Nothing is sent to this address, because mail to it came back. Tell them another way."
# Sentences that stand only on the page of an act whose email is sent.
PROMISES = ("The letter says", "A second letter", "one email", "One letter goes out", "The same letter goes")


@pytest.fixture
def desk() -> Client:
    return at_desk(factories.staff())


def suppress(row: Any, reason: str = "bounced") -> None:
    suppressions.suppress(row.supporter.email.upper(), Suppression.Reason(reason))


def promises_nothing(page: str, why: str = CAME_BACK) -> bool:
    return why in page and not [each for each in PROMISES if each in page]


def test_the_page_before_a_refund_says_that_no_letter_goes_and_none_does(desk: Client, stage: Stage) -> None:
    stage.join("month", amount="10")
    payment = Payment.objects.get()
    assert CAME_BACK not in desk.post(address(payment), ANSWERS).content.decode()
    suppress(payment)
    for stops in ({}, {"also_stops": "on"}):
        page = desk.post(address(payment), {**ANSWERS, **stops}).content.decode()
        assert promises_nothing(page), stops
        assert "<pre" not in page, "the letter is not shown"
    desk.post(address(payment), confirmed(page))
    stage.settle_down()
    letters = Message.objects.filter(kind__in=["refund_done", "cancelled"])
    assert set(letters.values_list("state", "withheld")) == {("canceled", "suppressed")}
    assert Payment.objects.get().refunded_amount == 1000


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("soft", "mail to it could not be delivered"),
        ("complained", "its reader marked a letter as spam"),
        ("staff", "staff decided so"),
    ],
)
def test_the_words_fit_the_reason(desk: Client, reason: str, words: str) -> None:
    payment = factories.payment()
    suppress(payment, reason)
    page = desk.post(address(payment), ANSWERS).content.decode()
    assert promises_nothing(page, f"Nothing is sent to this address, because {words}. Tell them another way.")


def test_who_is_not_told_is_promised_no_letter_about_the_gift(desk: Client, stage: Stage) -> None:
    stage.join("month", amount="10")
    page = desk.post(address(Payment.objects.get()), {**ANSWERS, "tells_supporter": ""}).content.decode()
    assert "The regular gift goes on." in page
    assert "The letter says so" not in page


def test_settling_a_duplicate_promises_no_letter(desk: Client, stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.join("month", amount="20")
    second = Subscription.objects.latest("pk")
    suppress(second)
    page, _sent = confirming(desk, Case.objects.get(), "stop-one", second.pk)
    assert promises_nothing(page)


def test_a_letter_about_a_dispute_is_not_offered(desk: Client) -> None:
    dispute = factories.dispute(factories.payment(), amount=1000)
    suppress(dispute.payment)
    page = desk.post(address(dispute, "ask"), {}).content.decode()
    assert promises_nothing(page)
    assert 'name="request_id"' not in page, "there is no button"


def test_stopping_and_sending_again_promise_no_letter(desk: Client) -> None:
    gift = factories.subscription()
    letter = factories.message(gift.supporter)
    pages = (address(gift, "stop"), address(letter, "resend"))
    assert not [each for each in pages if promises_nothing(desk.get(each).content.decode())]
    suppress(gift)
    assert [each for each in pages if promises_nothing(desk.get(each).content.decode())] == list(pages)

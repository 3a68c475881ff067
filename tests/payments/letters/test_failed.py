"""The emails about a failed renewal: which one on which day, by cause, and who gets none."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.mail.rendering import render
from members.models import Message
from payments.letters import due as due_letters
from payments.letters import failed as failed_letters
from payments.models import Case, Payment, SubscriptionChange
from payments.recurring import methods
from payments.stripe_api import account_values
from tests import factories

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Give every test here the database."""


def failing(code: str = "do_not_honor", gift: dict[str, Any] | None = None, **values: Any) -> Payment:
    row = factories.subscription(**{"status": "past_due", **(gift or {})})
    ordinary = {"failing_since": NOON, "stripe_invoice_id": f"in_{row.pk}", "frequency": "month", "paid_at": None}
    return factories.payment(
        row.supporter, subscription=row, status="failed", failure_code=code, **{**ordinary, **values}
    )


def text_of(message: Message) -> str:
    """Return the text of an email in one line."""
    return " ".join(render(message).text.split())


def run(first: int, last: int, kind: Any = failed_letters.FAILING) -> list[tuple[int, str]]:
    """Return the emails queued from day `first` to `last` after the first failure, with their days.

    The daily job runs twice each day.
    """
    found = []
    for number in range(first, last + 1):
        before = set(Message.objects.values_list("pk", flat=True))
        for _twice in range(2):
            due_letters.send(kind, DAY + timedelta(days=number))
        found += [(number, kind) for kind in Message.objects.exclude(pk__in=before).values_list("kind", flat=True)]
    return found


def test_four_letters_on_day_0_3_7_and_14() -> None:
    payment = failing()
    with time_machine.travel(NOON):
        letters = [failed_letters.tell(payment) for _twice in range(2)]
    assert [letter and letter.kind for letter in letters] == ["payment_failed_1", None]
    assert run(0, 40) == [(3, "payment_failed_2"), (7, "payment_failed_3"), (14, "payment_failed_4")]


@pytest.mark.parametrize(
    ("slept_until", "letter"), [(5, "payment_failed_2"), (10, "payment_failed_3"), (20, "payment_failed_4")]
)
def test_after_days_without_a_run_only_the_newest(slept_until: int, letter: str) -> None:
    failing()
    assert run(slept_until, slept_until) == [(slept_until, letter)]


def test_after_three_weeks_nothing_is_left_to_say() -> None:
    failing()
    assert run(21, 30) == []


def test_one_that_is_tried_again_today_waits_for_what_comes_of_it() -> None:
    payment = failing(next_attempt_at=NOON + timedelta(days=3))
    assert run(3, 3) == []
    with time_machine.travel(NOON + timedelta(days=3, hours=1)):
        assert failed_letters.tell(payment).kind == "payment_failed_2"  # type: ignore[union-attr]
    assert run(4, 6) == []


@pytest.mark.parametrize(
    "gift",
    [
        {"status": "canceled"},
        {"cancel_at_period_end": True},
        {"collection_paused": True},
        {"method_problem": "mandate_inactive"},
    ],
)
def test_who_is_not_to_go_on_is_told_nothing(gift: dict[str, Any]) -> None:
    payment = failing(gift=gift)
    assert failed_letters.tell(payment) is None
    assert run(0, 20) == []


def test_a_stop_that_was_asked_for_is_enough() -> None:
    payment = failing()
    SubscriptionChange.objects.create(subscription=payment.subscription, kind="stop", surface="mail")
    assert failed_letters.tell(payment) is None
    assert run(0, 20) == []


def test_nobody_whose_other_gift_goes_on_is_told_and_staff_are_shown_it() -> None:
    payment = failing()
    factories.subscription(payment.supporter)
    assert failed_letters.tell(payment) is None
    assert run(0, 20) == []
    assert Case.objects.get().kind == "failed_beside"


def test_what_the_bank_wants_confirmed_has_letters_of_its_own() -> None:
    payment = failing("authentication_required")
    with time_machine.travel(NOON):
        letter = failed_letters.tell(payment)
    assert letter is not None
    assert letter.kind == "action_required"
    assert run(0, 20) == []
    assert run(0, 20, failed_letters.UNCONFIRMED) == [(2, "action_required"), (5, "action_required")]
    drawn = render(letter)
    assert re.findall(r"https?://[^/]+/(method|confirm|stop)/", drawn.text) == ["confirm", "stop"]
    assert "fail" not in (drawn.subject + drawn.text).lower()


def test_a_card_that_ran_out_is_not_said_to_be_tried_again() -> None:
    payment = failing("expired_card", next_attempt_at=NOON + timedelta(days=3))
    text = text_of(failed_letters.failed(payment, 1))
    assert "try again" not in text
    assert "With a new one it is tried at once." in text


def test_who_lacks_money_is_told_of_the_next_try_and_may_give_less() -> None:
    payment = failing("insufficient_funds", next_attempt_at=NOON + timedelta(days=3))
    text = text_of(failed_letters.failed(payment, 1))
    assert "We try again on 5 March 2026." in text
    assert "you can give less" in text


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "pickup_card"])
def test_after_a_hard_decline_no_next_try_is_promised(code: str) -> None:
    """Stripe plans a day for it and carries nothing out until there is another card."""
    letter = failed_letters.failed(failing(code, next_attempt_at=NOON + timedelta(days=3)), 1)
    assert "next_try_on" not in letter.context
    assert "We try again" not in text_of(letter)


def test_the_third_offers_three_ways_and_no_pause() -> None:
    """Stripe would still try an overdue payment during a pause."""
    drawn = render(failed_letters.failed(failing(), 3))
    assert re.findall(r"https?://[^/]+/(method|confirm|stop)/", drawn.text) == ["method", "stop", "stop"]
    assert "pause" not in drawn.text.lower()


def test_to_give_less_is_offered_only_where_something_less_is_accepted() -> None:
    for step in (1, 3):
        letter = failed_letters.failed(failing("insufficient_funds", {"amount": 200}), step)
        assert "less" not in text_of(letter).lower()


@pytest.mark.parametrize(
    ("next_try", "words"), [(NOON, "Next try on 2 March 2026"), (None, "Your support is about to end")]
)
def test_the_fourth_names_the_next_try_where_there_is_one(next_try: datetime | None, words: str) -> None:
    assert render(failed_letters.failed(failing(next_attempt_at=next_try), 4)).subject == words


def test_what_still_waits_is_taken_back_when_its_reason_is_gone() -> None:
    payment = failing()
    with time_machine.travel(NOON):
        failed_letters.tell(payment)
    failed_letters.take_back(Payment.objects.filter(pk=payment.pk))
    assert Message.objects.get().state == "canceled"


def test_a_mandate_that_ended_is_told_instead_when_both_are_heard_of_together() -> None:
    payment = failing(gift={"stripe_payment_method_id": "pm_1", "method": "SEPA 3000"})
    with time_machine.travel(NOON):
        failed_letters.tell(payment)
        methods.follow_mandate(account_values.Mandate("mandate_1", status="inactive", method_id="pm_1"))
    states = dict(Message.objects.values_list("kind", "state"))
    assert states == {"payment_failed_1": "canceled", "mandate_cancelled": "pending"}


def test_one_question_finds_who_is_due_and_a_chunk_costs_no_more_than_one() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            due_letters.send(failed_letters.FAILING, DAY + timedelta(days=3))
        return len(captured)

    failing()
    for_one = queries()
    for _number in range(10):
        failing()
    assert queries() == for_one

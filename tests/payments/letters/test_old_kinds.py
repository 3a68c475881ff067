"""Emails of kinds that were renamed (migration 0018): shown at the desk, can be sent again, not queued twice."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from members import clock
from members.mail import outbox
from members.mail.rendering import render
from members.models import Message
from payments.letters import failed as failed_letters
from payments.models import Payment
from tests import factories

pytestmark = pytest.mark.django_db
RENAMED = import_module("payments.migrations.0018_letters_renamed").RENAMED


def failing(code: str = "do_not_honor") -> Payment:
    row = factories.subscription(status="past_due")
    return factories.payment(
        row.supporter,
        subscription=row,
        status="failed",
        frequency="month",
        failure_code=code,
        failing_since=clock.now() - timedelta(days=1),
        stripe_invoice_id="in_1",
    )


def old(kind: str, key: str, **facts: Any) -> Message:
    context = {
        "first_name": "",
        "amount": 1000,
        "currency": "EUR",
        "frequency": "month",
        "method": "Visa 4242",
        "reference": "",
        "stop_url": "https://courier.example/stop/x/",
        "privacy_url": "https://courier.example/p/",
        **facts,
    }
    return Message.objects.create(
        kind=kind,
        key=key,
        to_email="olena@example.org",
        language="en",
        context=context,
        state="sent",
        supporter=None,
        stream="service",
    )


def rename() -> None:
    with connection.cursor() as cursor:
        for sql in RENAMED:
            cursor.execute(sql)


def test_the_old_letter_is_the_first_of_the_four_and_is_not_sent_a_second_time() -> None:
    payment = failing()
    letter = old("payment_failed", f"payment_failed:{payment.public_id}", reason="", method_url="https://m.example/")
    again = old("payment_failed", f"payment_failed:{payment.public_id}:again:1", reason="")
    rename()
    letter.refresh_from_db()
    again.refresh_from_db()
    assert (letter.kind, letter.key) == ("payment_failed_1", f"payment_failed_1:{payment.public_id}")
    assert again.key == f"payment_failed_1:{payment.public_id}:again:1"
    assert failed_letters.tell(payment) is None
    assert outbox.resend(letter).key == f"payment_failed_1:{payment.public_id}:again:2"
    assert "did not go through" in render(letter).subject


def test_one_that_asked_to_confirm_still_does() -> None:
    payment = failing("authentication_required")
    letter = old(
        "payment_failed",
        f"payment_failed:{payment.public_id}",
        reason="confirmation",
        confirm_url="https://courier.example/confirm/x/",
    )
    rename()
    letter.refresh_from_db()
    assert (letter.kind, letter.key) == ("action_required", f"action_required:{payment.public_id}:1")
    assert failed_letters.tell(payment) is None
    assert "https://courier.example/confirm/x/" in render(letter).text


@pytest.mark.parametrize(("unpaid", "kind"), [(True, "ended_unpaid"), (False, "ended")])
def test_an_end_keeps_saying_why(unpaid: bool, kind: str) -> None:
    letter = old("ended", "ended:1", unpaid=unpaid, ended_on="2026-03-01", again_url="https://courier.example/a/")
    rename()
    letter.refresh_from_db()
    assert (letter.kind, letter.key) == (kind, f"{kind}:1")
    assert ("by itself" in render(letter).text) is unpaid

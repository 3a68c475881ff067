"""Alerts about emails that bounce, are marked as spam, or may not be sent: they fire for many, not for one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments.alerts.rules import BY_NAME
from project.metrics import exposition
from tests import factories

pytestmark = pytest.mark.django_db


def sees(name: str) -> dict[str, Any] | None:
    facts = BY_NAME[name].look()
    if facts is not None:
        assert str(BY_NAME[name].words) % facts
    return facts


def reported(delivery: str, number: int, days_ago: float = 0.1) -> None:
    """Make emails about which a provider has reported."""
    for _number in range(number):
        factories.message(delivery=delivery, delivery_at=timezone.now() - timedelta(days=days_ago))


def test_letters_that_come_back() -> None:
    reported("bounced", 20, days_ago=1.1)
    reported("bounced", 4)
    assert sees("letters-returned") is None, "few"
    reported("delivered", 96)
    reported("bounced", 1)
    assert sees("letters-returned") is None, "not more than one in twenty"
    reported("bounced", 1)
    assert sees("letters-returned") == {"count": 6, "total": 102}


def test_the_metrics_count_what_was_told() -> None:
    reported("delivered", 3)
    reported("bounced", 2, days_ago=1.1)
    shown = exposition().decode()
    assert 'hromada_letters_told{delivery="delivered"} 3.0' in shown
    assert 'hromada_letters_told{delivery="bounced"} 0.0' in shown


def test_letters_called_spam() -> None:
    reported("complained", 5, days_ago=8)
    reported("complained", 2, days_ago=6)
    reported("delivered", 50)
    assert sees("letters-complained") is None
    reported("complained", 1)
    assert sees("letters-complained") == {"count": 3, "total": 53}


def test_letters_that_may_not_be_sent() -> None:
    now = timezone.now()
    factories.message(state="canceled", withheld="unwanted", withheld_at=now)
    factories.message(state="canceled", withheld="suppressed", withheld_at=now - timedelta(hours=25))
    assert sees("letters-withheld") is None
    factories.message(state="canceled", withheld="suppressed", withheld_at=now - timedelta(minutes=5))
    assert sees("letters-withheld") == {"count": 1, "minutes": 5}

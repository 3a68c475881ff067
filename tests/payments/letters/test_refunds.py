"""What the emails about money that went back say of a recurring gift."""

from __future__ import annotations

from typing import Any

import pytest

from payments.letters import refunds
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("values", "goes_on"),
    [
        ({}, True),
        ({"status": "past_due"}, True),
        ({"status": "paused"}, False),
        ({"status": "unpaid"}, False),
        ({"collection_paused": True}, False),
        ({"method_problem": "detached"}, False),
    ],
)
def test_a_gift_goes_on_if_stripe_will_charge_it(values: dict[str, Any], goes_on: bool) -> None:
    assert refunds.continues(factories.subscription(**values)) is goes_on

"""Errors that Stripe keeps for a key, whether it says so or not, and a key of the wrong mode: nothing is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payments.books import refund_requests
from payments.errors import KeyRefused
from payments.models import Case, Payment, RefundRequest
from payments.recurring import unanswered
from tests.payments.test_stripe_requests import DAY_AND_AN_HOUR, refunds_at_stripe, unanswered_refund, wait
from tests.stage import Stage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("fault", "generation"), [("500", 2), ("commit_then_500", 1)])
def test_a_kept_error_that_stripe_repeats_without_saying_so_is_looked_up_when_its_key_is_old(
    stage: Stage, fault: str, generation: int
) -> None:
    stage.stripe.world.policy.names_replays = False
    request = unanswered_refund(stage, fault)
    assert (request.state, request.generation) == ("requested", 1)
    wait(stage, DAY_AND_AN_HOUR)
    unanswered.retry()
    request.refresh_from_db()
    assert (request.state, request.generation) == ("accepted", generation)
    assert refunds_at_stripe(stage) == 1


@pytest.mark.parametrize("fault", ["403", "403_kept"])
def test_a_missing_permission_is_no_refusal_whether_stripe_keeps_the_answer_or_not(stage: Stage, fault: str) -> None:
    request = unanswered_refund(stage, fault)
    assert request.state == "requested"
    assert "rak_subscription_read" in request.error
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    request.refresh_from_db()
    assert (request.state, request.generation) == ("accepted", 2 if fault == "403_kept" else 1)
    assert refunds_at_stripe(stage) == 1
    assert not Case.objects.exists()


@pytest.mark.parametrize("code", ["livemode_mismatch", "testmode_charges_only", "api_key_expired"])
def test_a_key_of_the_wrong_mode_is_our_fault_whatever_the_status(stage: Stage, code: str) -> None:
    stage.join("once", amount="25")
    stage.stripe.fail("400", code=code, path="/v1/refunds", method="POST")
    with pytest.raises(KeyRefused):
        refund_requests.request_refund(Payment.objects.get(), 1000, "duplicate", None)
    assert RefundRequest.objects.get().state == "requested"
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    assert RefundRequest.objects.get().state == "accepted"
    assert not Case.objects.exists()

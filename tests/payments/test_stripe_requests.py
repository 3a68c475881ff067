"""A request to Stripe takes effect once, even if an answer is lost, its key is forgotten, or two processes send it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from members import clock
from payments import tasks
from payments.books import refund_requests
from payments.errors import AlreadyStopped, StripeRefused, StripeUnavailable
from payments.models import Case, Payment, Refund, RefundRequest, Subscription, SubscriptionChange
from payments.recurring import changes, unanswered
from payments.stripe_api import client
from tests import factories
from tests.stage import Stage, set_the_scene

pytestmark = pytest.mark.django_db
DAY_AND_AN_HOUR = timedelta(hours=25)


def wait(stage: Stage, span: timedelta) -> None:
    clock.move(span)
    stage.stripe.advance(seconds=span.total_seconds())


def writes(stage: Stage, path: str) -> list:
    return [each for each in stage.stripe.requests if each.method == "POST" and each.path.startswith(path)]


def refunds_at_stripe(stage: Stage) -> int:
    return len(stage.stripe.events("refund.created"))


def unanswered_refund(stage: Stage, fault: str) -> RefundRequest:
    """Return a request to refund 10 of 25 euros that Stripe did not answer; with some faults it was carried out."""
    stage.join("once", amount="25")
    stage.stripe.fail(fault, times=2, path="/v1/refunds", method="POST")
    with pytest.raises(StripeUnavailable):
        refund_requests.request_refund(Payment.objects.get(), 1000, "duplicate", None)
    stage.stripe.clear_faults()
    return RefundRequest.objects.get()


def unanswered_stop(stage: Stage, fault: str) -> SubscriptionChange:
    stage.join("month", amount="10")
    stage.stripe.fail(fault, times=2, path="/v1/subscriptions", method="POST")
    with pytest.raises(StripeUnavailable):
        changes.request_stop(Subscription.objects.get(), "mail")
    stage.stripe.clear_faults()
    return SubscriptionChange.objects.get()


def test_a_write_without_a_key_never_leaves_the_house(stage: Stage) -> None:
    writers: list[Callable[[], object]] = [
        lambda: client.create_checkout_session({}, key=""),
        lambda: client.create_refund({}, key=""),
        lambda: client.update_subscription("sub_1", {}, key=""),
        lambda: client.cancel_subscription("sub_1", {}, key=""),
    ]
    for write in writers:
        with pytest.raises(ValueError, match="idempotency key"):
            write()
    assert stage.stripe.requests == []


@pytest.mark.parametrize("key", ["", "0f0b6a52-4c0a-4a4e-9d1c-6f2f8f7c9a11"])
def test_not_even_past_our_own_functions(stage: Stage, key: str) -> None:
    """The SDK gives a write without a key a random one, as here: our HTTP client refuses to send it."""
    options: Any = {"idempotency_key": key} if key else {}
    v1 = client.connection().v1
    writers: list[Callable[[], object]] = [
        lambda: v1.refunds.create({"payment_intent": "pi_1"}, options),
        lambda: v1.subscriptions.update("sub_1", {"cancel_at_period_end": True}, options),
        lambda: v1.subscriptions.cancel("sub_1", {}, options),
        lambda: v1.customers.delete("cus_1", {}, options),
    ]
    for write in writers:
        with pytest.raises(ValueError, match="idempotency key"):
            write()
    assert stage.stripe.requests == []


def test_within_a_transaction_nothing_is_asked(stage: Stage) -> None:
    stage.join("once", amount="25")
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        refund_requests.request_refund(Payment.objects.get(), 1000, "duplicate", None)
    assert refunds_at_stripe(stage) == 0


@pytest.mark.parametrize("fault", ["drop", "commit_then_drop"])
def test_an_unanswered_refund_is_asked_again_with_its_key(stage: Stage, fault: str) -> None:
    request = unanswered_refund(stage, fault)
    assert request.state == "requested"
    assert unanswered.retry() == 0, "whoever asked first may still be at it"
    wait(stage, timedelta(minutes=3))
    assert unanswered.retry() == 1
    stage.settle_down()
    request.refresh_from_db()
    assert (request.state, request.generation) == ("seen", 1)
    assert refunds_at_stripe(stage) == 1
    assert {each.idempotency_key for each in writes(stage, "/v1/refunds")} == {request.idempotency_key}
    assert Payment.objects.get().refunded_amount == 1000
    assert unanswered.retry() == 0


@pytest.mark.parametrize(("fault", "generation"), [("drop", 2), ("commit_then_drop", 1)])
def test_a_refund_whose_key_stripe_forgot_is_looked_up_first(stage: Stage, fault: str, generation: int) -> None:
    request = unanswered_refund(stage, fault)
    wait(stage, DAY_AND_AN_HOUR)
    tasks.take_up_unanswered_requests()
    stage.settle_down()
    request.refresh_from_db()
    assert (request.state, request.generation) == ("seen", generation)
    assert refunds_at_stripe(stage) == 1
    assert Refund.objects.get().stripe_refund_id == request.stripe_refund_id


@pytest.mark.parametrize(("fault", "generation"), [("drop", 2), ("commit_then_drop", 1)])
def test_a_stop_whose_key_stripe_forgot_is_looked_up_first(stage: Stage, fault: str, generation: int) -> None:
    change = unanswered_stop(stage, fault)
    wait(stage, DAY_AND_AN_HOUR)
    before = len(writes(stage, "/v1/subscriptions"))
    assert unanswered.retry() == 1
    assert len(writes(stage, "/v1/subscriptions")) - before == generation - 1
    stage.settle_down()
    change.refresh_from_db()
    assert (change.state, change.generation) == ("seen", generation)
    assert Subscription.objects.get().is_stopping


@pytest.mark.parametrize("span", [timedelta(minutes=3), DAY_AND_AN_HOUR])
def test_a_stop_that_was_lost_is_made_good_and_told_once(stage: Stage, span: timedelta) -> None:
    unanswered_stop(stage, "drop")
    wait(stage, span)
    unanswered.retry()
    stage.settle_down()
    assert Subscription.objects.get().is_stopping
    assert [subject for subject in stage.subjects() if "nothing more" in subject] == stage.subjects()[-1:]


@pytest.mark.parametrize(("fault", "generation"), [("500", 2), ("commit_then_500", 1)])
def test_an_error_that_stripe_keeps_for_a_key_does_not_stand_in_the_way(
    stage: Stage, fault: str, generation: int
) -> None:
    stage.join("once", amount="25")
    stage.stripe.fail(fault, times=1, path="/v1/refunds", method="POST")
    request = refund_requests.request_refund(Payment.objects.get(), 1000, "duplicate", None)
    assert (request.state, request.generation) == ("accepted", generation)
    assert refunds_at_stripe(stage) == 1


def test_other_parameters_are_another_generation(stage: Stage) -> None:
    """A stop is requested for the end of the period, then the card fails: now the gift must end immediately."""
    stage.join("month", amount="10", card="4000000000000341")
    stage.stripe.fail("drop", times=2, path="/v1/subscriptions", method="POST")
    with pytest.raises(StripeUnavailable):
        changes.request_stop(Subscription.objects.get(), "mail")
    change = SubscriptionChange.objects.get()
    assert change.stripe_params == {"cancel_at_period_end": True}
    stage.sleep(33)
    assert Subscription.objects.get().status == "past_due"
    changes.request_stop(Subscription.objects.get(), "mail")
    change.refresh_from_db()
    assert (change.generation, change.stripe_params) == (2, {})
    stage.settle_down()
    assert Subscription.objects.get().status == "canceled"
    assert SubscriptionChange.objects.count() == 1


def test_what_stripe_refuses_when_nobody_looks_becomes_a_case(stage: Stage) -> None:
    request = unanswered_refund(stage, "drop")
    stage.stripe.refund(Payment.objects.get().stripe_payment_intent_id)  # all of it, at the dashboard
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    request.refresh_from_db()
    assert request.state == "failed"
    assert request.error
    case = Case.objects.get()
    assert (case.kind, case.facts["payment"]) == ("request_refused", request.payment_id)
    assert case.facts["amount"] == [1000, "EUR"]
    with pytest.raises(StripeRefused):
        refund_requests.ask_refund(request)


def test_an_hour_without_an_answer_is_shown_to_staff_once(stage: Stage) -> None:
    change = unanswered_stop(stage, "drop")
    stage.stripe.fail("drop", times=100, path="/v1/subscriptions", method="POST")
    wait(stage, timedelta(minutes=59))
    unanswered.retry()
    assert not Case.objects.exists()
    wait(stage, timedelta(minutes=2))
    unanswered.retry()
    unanswered.retry()
    case = Case.objects.get()
    assert (case.kind, case.supporter_id) == ("request_unanswered", change.subscription.supporter_id)


def test_one_that_cannot_be_asked_holds_up_no_other(stage: Stage) -> None:
    broken = factories.payment(stripe_payment_intent_id=None, stripe_invoice_id="in_test1", stripe_charge_id=None)
    old = clock.now() - timedelta(minutes=5)
    nonsense = {"stripe_params": {"x": 1}, "generation_at": old}
    RefundRequest.objects.create(payment=broken, amount=1, reason="duplicate", **nonsense)
    unanswered_stop(stage, "drop")
    wait(stage, timedelta(minutes=3))
    assert unanswered.retry() == 1
    assert SubscriptionChange.objects.get().state == "accepted"


def test_what_was_accepted_and_never_shown_is_read_again(stage: Stage) -> None:
    stage.join("once", amount="25")
    request = refund_requests.request_refund(Payment.objects.get(), 1000, "duplicate", None)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM payments_stripeevent")
    wait(stage, timedelta(minutes=11))
    unanswered.retry()
    stage.work()
    request.refresh_from_db()
    assert request.state == "seen"


# At the same moment


@pytest.fixture
def crowd(committed: None, settings, tmp_path: Path) -> Iterator[Stage]:
    """A stage whose rows are committed, so that other threads see them."""
    yield from set_the_scene(settings, tmp_path, Client())


def in_threads(work: Callable[[], object], times: int = 4) -> list[object]:
    """Call `work` in several threads at the same moment; return the results and exceptions."""
    gate, results = threading.Barrier(times), []

    def run() -> None:
        gate.wait()
        try:
            results.append(work())
        except Exception as problem:
            results.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_several_workers_at_once_ask_once(crowd: Stage) -> None:
    unanswered_refund(crowd, "drop")
    wait(crowd, timedelta(minutes=3))
    before = len(writes(crowd, "/v1/refunds"))
    crowd.stripe.fail("slow_work", times=4, path="/v1/refunds", method="POST", seconds=0.5)
    assert sorted(in_threads(unanswered.retry)) == [0, 0, 0, 1]
    assert len(writes(crowd, "/v1/refunds")) - before == 1
    assert refunds_at_stripe(crowd) == 1


def test_several_tabs_stopping_at_once_are_one_stop(crowd: Stage) -> None:
    crowd.join("month", amount="10")
    crowd.stripe.fail("slow_work", times=4, path="/v1/subscriptions", method="POST", seconds=0.3)
    results = in_threads(lambda: changes.request_stop(Subscription.objects.get(), "mail"))
    assert all(isinstance(each, SubscriptionChange | AlreadyStopped) for each in results), results
    assert SubscriptionChange.objects.count() == 1
    assert len(writes(crowd, "/v1/subscriptions")) == 1
    crowd.settle_down()
    assert crowd.subjects()[1:] == ["Done: nothing more will be charged"]


def test_one_wish_sent_from_several_tabs_at_once_sends_money_back_once(crowd: Stage) -> None:
    crowd.join("once", amount="25")
    payment, request_id = Payment.objects.get(), factories.payment().public_id
    crowd.stripe.fail("slow_work", times=4, path="/v1/refunds", method="POST", seconds=0.3)
    results = in_threads(lambda: refund_requests.request_refund(payment, 1000, "duplicate", None, public_id=request_id))
    assert all(isinstance(each, RefundRequest) for each in results), results
    assert refunds_at_stripe(crowd) == 1

"""Failed tries are counted once each, by checkout, network, address and card, and close a session at the fifth."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from members import clock
from payments.errors import StripeUnavailable
from payments.guard import expiring, held, tries
from payments.models import Checkout, FailedTry, SessionExpiry
from tests import factories
from tests.payments.guard.scene import another_card, network, send, try_cards
from tests.stage import Stage

DECLINED, ASKS = "4000000000000002", "4000002500003155"


@pytest.fixture(autouse=True)
def _sent_at_once() -> None:
    expiring.forget_silence()


def begun(stage: Stage, address: str, **changes: str) -> Checkout:
    answer = send(stage, address, **changes)
    assert answer.status_code == 303
    return Checkout.objects.get(stripe_session_url=answer["Location"])


def settled(stage: Stage) -> list[FailedTry]:
    stage.settle_down()
    return list(FailedTry.objects.order_by("tried_at", "pk"))


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_a_decline_is_one_try_however_many_events_tell_of_it(stage: Stage, frequency: str) -> None:
    checkout = begun(stage, "192.0.2.7", frequency=frequency)
    stage.pay(checkout, card=DECLINED)
    waiting = stage.stripe.outbox()
    assert {"charge.failed", "payment_intent.payment_failed"} <= {event["type"] for event in waiting}
    stage.stripe.deliver(waiting + waiting[::-1])
    [row] = settled(stage)
    assert (row.checkout, row.attempt, row.failed_authentication) == (checkout, 1, False)
    assert len(row.networks) == 1
    assert "192.0.2.7" not in str(row.networks)
    assert row.address
    assert row.card
    assert checkout.email not in row.address


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_a_bank_that_was_not_convinced_is_a_try_too(stage: Stage, frequency: str) -> None:
    checkout = begun(stage, network(), frequency=frequency)
    stage.pay(checkout, card=ASKS, authenticate=False)
    stage.pay(checkout, card=ASKS, authenticate=False)
    rows = settled(stage)
    assert [row.failed_authentication for row in rows] == [True, True]
    assert len({row.card for row in rows}) == 1


def test_a_try_is_found_when_the_session_is_read(stage: Stage) -> None:
    checkout = begun(stage, network())
    stage.pay(checkout, card=DECLINED)
    stage.stripe.outbox().clear()
    answer = stage.client.get(_return_path(stage, checkout))
    assert answer.status_code == 200
    assert FailedTry.objects.filter(checkout=checkout).count() == 1
    assert len(settled(stage)) == 1, "The events that come later tell of the same try."


def _return_path(stage: Stage, checkout: Checkout) -> str:
    url = stage.stripe.get(checkout.stripe_session_id)["success_url"]
    return str(url).removeprefix("http://testserver")


def test_an_ipv6_network_is_counted_with_those_around_it(stage: Stage) -> None:
    checkout = begun(stage, "2001:db8:1:2::3")
    stage.pay(checkout, card=DECLINED)
    [row] = settled(stage)
    assert [mark[:2] for mark in row.networks] == ["0:", "1:", "2:"]


def test_renewals_and_debits_are_no_tries(stage: Stage) -> None:
    stage.join(card="4000000000000341")
    stage.sleep(35)
    debit = stage.give("once", email="debit@example.org")
    stage.pay(debit, iban="DE62370400440532013001")
    stage.sleep(10)
    assert FailedTry.objects.count() == 0


def test_a_patron_s_other_card_at_the_portal_is_a_try_without_a_checkout(stage: Stage) -> None:
    checkout = stage.join()
    customer = checkout.subscription.stripe_customer_id
    failed_setup = {
        "id": "seti_1",
        "object": "setup_intent",
        "customer": customer,
        "last_setup_error": {
            "code": "card_declined",
            "payment_method": {"id": "pm_other", "type": "card", "card": {"fingerprint": "f1"}},
        },
    }
    event = {
        "id": "evt_setup",
        "object": "event",
        "type": "setup_intent.setup_failed",
        "created": int(clock.now().timestamp()),
        "livemode": False,
        "api_version": "2020-01-01",
        "data": {"object": failed_setup},
    }
    assert stage.post(event) == 200
    stage.work()
    [row] = FailedTry.objects.all()
    assert (row.checkout, bool(row.card)) == (None, True)
    event |= {"id": "evt_foreign", "data": {"object": failed_setup | {"customer": "cus_of_somebody_else"}}}
    assert stage.post(json.loads(json.dumps(event))) == 200
    stage.work()
    assert FailedTry.objects.count() == 1


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_the_fifth_decline_closes_the_session_at_stripe(stage: Stage, frequency: str) -> None:
    checkout = begun(stage, network(), frequency=frequency)
    assert try_cards(stage, checkout, 9) == expiring.MOST_IN_SESSION
    request = SessionExpiry.objects.get()
    assert request.state == SessionExpiry.State.ACCEPTED
    checkout.refresh_from_db()
    assert checkout.status == Checkout.Status.EXPIRED
    page = stage.client.get(_return_path(stage, checkout)).content.decode()
    assert 'data-state="expired"' in page
    assert "Several cards did not go through" in page
    assert "Nothing was charged" in page
    assert 'href="/support/details/?' in page


def test_a_new_start_after_that_is_a_session_of_its_own(stage: Stage) -> None:
    address = network()
    form = {"email": "olena@example.org", "form_key": "the-form-of-olena"}
    checkout = begun(stage, address, **form)
    try_cards(stage, checkout, 9)
    again = begun(stage, address, **form)
    assert (again.pk, again.attempt) == (checkout.pk, 2)
    stage.pay(again)
    stage.settle_down()
    again.refresh_from_db()
    assert again.status == Checkout.Status.COMPLETE


def test_four_declines_and_a_payment_are_a_gift(stage: Stage) -> None:
    checkout = begun(stage, network())
    assert try_cards(stage, checkout, 4) == 4
    stage.pay(checkout)
    stage.settle_down()
    checkout.refresh_from_db()
    assert checkout.status == Checkout.Status.COMPLETE
    assert not SessionExpiry.objects.exists()


def test_a_request_that_stripe_does_not_answer_is_sent_again_and_takes_effect_once(stage: Stage) -> None:
    checkout = begun(stage, network())
    for _ in range(5):
        stage.stripe.pay(checkout.stripe_session_id, another_card(), email=checkout.email)
    stage.bring()
    stage.stripe.fail("500", times=1, path="expire")
    stage.work()
    assert SessionExpiry.objects.get().state == SessionExpiry.State.REQUESTED
    assert expiring.send() == 0, "Nothing is sent for a while, so that events do not wait."
    expiring.forget_silence()
    assert expiring.send() == 1
    assert expiring.send() == 0
    assert stage.stripe.get(checkout.stripe_session_id)["status"] == "expired"


def test_a_session_that_was_paid_meanwhile_stays_paid(stage: Stage) -> None:
    checkout = begun(stage, network())
    SessionExpiry.objects.create(checkout=checkout, stripe_session_id=checkout.stripe_session_id)
    stage.pay(checkout)
    assert expiring.send() == 1
    assert SessionExpiry.objects.get().state == SessionExpiry.State.FAILED
    stage.settle_down()
    checkout.refresh_from_db()
    assert checkout.status == Checkout.Status.COMPLETE


# Suspicious sources


def rows_of(checkout: Checkout | None, count: int, **facts: object) -> None:
    known = {"tried_at": clock.now(), "checkout": checkout, "attempt": 1, **facts}
    FailedTry.objects.bulk_create(FailedTry(key=f"ch_{FailedTry.objects.count()}_{n}", **known) for n in range(count))


@pytest.mark.django_db
def test_a_source_is_suspicious_by_its_tries_and_their_share() -> None:
    rows_of(None, 9, networks=["0:few"], address="honest")
    assert tries.suspects() == frozenset()
    rows_of(None, 10, networks=["0:many", "1:around"])
    assert tries.suspects() == {"0:many"}
    for _ in range(21):
        tries.note_origin(factories.checkout(), ["0:many"])
    assert tries.suspects() == {"0:many"}, "Gifts that were only begun prove nothing."
    Checkout.objects.update(status=Checkout.Status.COMPLETE, completed_at=clock.now())
    assert tries.suspects() == frozenset(), "Of as many gifts as come from a large network, ten fail honestly."
    rows_of(None, 31, networks=["1:around"])
    assert tries.suspects() == {"1:around"}
    FailedTry.objects.update(tried_at=clock.now() - timedelta(minutes=61))
    assert tries.suspects() == frozenset()


def test_the_open_sessions_of_a_suspicious_source_are_closed(stage: Stage) -> None:
    address = network()
    waiting = [begun(stage, address) for _ in range(3)]
    elsewhere = begun(stage, network())
    for checkout in waiting[:2]:
        try_cards(stage, checkout, 5)
    statuses = [stage.stripe.get(checkout.stripe_session_id)["status"] for checkout in (*waiting, elsewhere)]
    assert statuses == ["expired", "expired", "expired", "open"]


@pytest.mark.django_db
def test_a_card_is_suspicious_when_it_fails_in_several_gifts() -> None:
    first, second = factories.checkout(), factories.checkout()
    rows_of(first, 4, card="c1")
    assert not tries.is_card_suspicious("c1")
    rows_of(second, 1, card="c1")
    assert tries.is_card_suspicious("c1")
    assert not tries.is_card_suspicious("")


@pytest.mark.django_db
def test_tries_are_kept_for_a_week() -> None:
    rows_of(None, 2, card="c1")
    held.trim()
    assert FailedTry.objects.count() == 2
    FailedTry.objects.update(tried_at=clock.now() - timedelta(days=8))
    held.trim()
    assert FailedTry.objects.count() == 0


def test_sending_raises_nothing_when_stripe_is_away(stage: Stage, settings) -> None:
    checkout = begun(stage, network())
    SessionExpiry.objects.create(checkout=checkout, stripe_session_id=checkout.stripe_session_id)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    try:
        assert expiring.send() == 0
    except StripeUnavailable:
        pytest.fail("The drain would stop.")

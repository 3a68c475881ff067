"""The drain: many customers share a transaction, and still each event fails, waits or succeeds on its own."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection

from members.models import Message
from payments.inbox import queue as inbox
from payments.management.commands.drain import listener
from payments.models import Checkout, LedgerEntry, Payment, StripeEvent, Subscription
from payments.stripe_api.client import API_VERSION
from payments.webhooks import drain
from tests import factories
from tests.stage import Stage


def gift(number: int, amount: int = 1000) -> str:
    """Store an event about the charge of a one-off gift; return the event's id."""
    checkout = factories.checkout(frequency="once", email=f"reader{number}@example.org", amount=amount)
    charge = {
        "id": f"ch_{number}",
        "object": "charge",
        "status": "succeeded",
        "amount": amount,
        "currency": "eur",
        "created": 1_767_600_000,
        "payment_intent": f"pi_{number}",
        "customer": f"cus_{number}",
        "metadata": {"hromada_checkout": str(checkout.public_id)},
    }
    return store(f"evt_{number}", "charge.succeeded", charge)


def store(name: str, type: str, thing: dict[str, Any]) -> str:
    """Store an event about this object of Stripe's; return its id."""
    event = {"id": name, "type": type, "created": 1_767_600_000, "livemode": False, "data": {"object": thing}}
    event["api_version"] = API_VERSION
    inbox.store(event, json.dumps(event).encode(), StripeEvent.State.PENDING)
    return name


def refuse(amount: int, code: str) -> None:
    """Make the database refuse payments of this amount, with this error code of PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.amount = {amount} THEN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END IF; RETURN NEW; END $$"
        )
        cursor.execute("CREATE TRIGGER refuse BEFORE INSERT ON payments_payment FOR EACH ROW EXECUTE FUNCTION refuse()")


def states() -> dict[str, str]:
    return dict(StripeEvent.objects.values_list("pk", "state"))


def test_fifty_gifts_take_few_statements(db: None, django_assert_max_num_queries: Any) -> None:
    for number in range(50):
        gift(number)
    with django_assert_max_num_queries(17):
        assert drain.work() == 50
    assert set(states().values()) == {"processed"}
    assert Payment.objects.count() == LedgerEntry.objects.count() == Message.objects.count() == 50


def test_one_poisoned_gift_among_many_fails_alone(db: None) -> None:
    for number in range(20):
        gift(number, amount=666 if number == 7 else 1000)
    refuse(666, "P0001")
    drain.work()
    found = states()
    assert found.pop("evt_7") == "failed"
    assert set(found.values()) == {"processed"}
    assert Payment.objects.count() == LedgerEntry.objects.count() == Message.objects.count() == 19
    assert StripeEvent.objects.get(pk="evt_7").attempts == 1


@pytest.mark.parametrize("kind", ["500", "429"])
def test_tries_while_stripe_is_away_use_up_none_of_an_event_s_own(stage: Stage, kind: str) -> None:
    stage.join("month")
    stage.stripe.advance(days=32)
    stage.bring()
    stage.stripe.fail(kind, times=10_000, method="GET")
    for _ in range(inbox.MAX_TRIES + 2):
        StripeEvent.objects.update(next_try_at=inbox.timezone.now())
        drain.work()
    stage.stripe.clear_faults()
    refuse(1000, "P0001")
    StripeEvent.objects.update(next_try_at=inbox.timezone.now())
    drain.work()
    assert set(StripeEvent.objects.filter(failures=1).values_list("state", flat=True)) == {"failed"}
    assert not StripeEvent.objects.filter(state="dead").exists()
    for _ in range(inbox.MAX_TRIES):
        StripeEvent.objects.update(next_try_at=inbox.timezone.now())
        drain.work()
    assert set(StripeEvent.objects.filter(failures=inbox.MAX_TRIES).values_list("state", flat=True)) == {"dead"}


def test_an_event_that_waits_for_a_year_of_tries_still_waits(stage: Stage) -> None:
    stage.join("month")
    stage.stripe.advance(days=32)
    stage.bring()
    StripeEvent.objects.filter(state="pending").update(attempts=5000)
    stage.stripe.fail("500", times=10_000, method="GET")
    drain.work()
    waiting = StripeEvent.objects.filter(state="pending")
    assert waiting.exists()
    assert all(row.lease_until is None and row.next_try_at > inbox.timezone.now() for row in waiting)
    assert all(row.next_try_at < inbox.timezone.now() + inbox.LONGEST_WAIT * 1.3 for row in waiting)


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_a_collision_of_transactions_is_no_try(db: None, code: str) -> None:
    for number in range(3):
        gift(number, amount=666 if number == 1 else 1000)
    refuse(666, code)
    for _ in range(10):
        StripeEvent.objects.update(next_try_at=inbox.timezone.now())
        drain.work()
    row = StripeEvent.objects.get(pk="evt_1")
    assert (row.state, row.attempts, row.lease_until) == ("pending", 0, None)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse ON payments_payment")
    StripeEvent.objects.update(next_try_at=inbox.timezone.now())
    drain.work()
    assert set(states().values()) == {"processed"}
    assert Payment.objects.count() == 3


@pytest.mark.parametrize("payload", [b"[", b"7", b'{"data": {"object": 7}}', b'{"data": {"object": {"object": []}}}'])
def test_a_payload_that_cannot_be_read_fails_alone(db: None, payload: bytes) -> None:
    gift(1)
    StripeEvent.objects.create(id="evt_bad", type="invoice.paid", created_at=inbox.timezone.now(), payload=payload)
    drain.work()
    assert states() == {"evt_1": "processed", "evt_bad": "failed"}


def test_a_customer_somebody_works_on_is_put_back(db: None) -> None:
    gift(1), gift(2)
    parameters = connection.get_connection_params()
    wanted = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if parameters.get(key)}
    with psycopg.connect(**wanted, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('cus_1', 0))")
        drain.work()
    assert states() == {"evt_1": "pending", "evt_2": "processed"}
    row = StripeEvent.objects.get(pk="evt_1")
    assert (row.attempts, row.lease_until) == (0, None)
    StripeEvent.objects.update(next_try_at=inbox.timezone.now())
    drain.work()
    assert set(states().values()) == {"processed"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,)


def test_many_letters_wake_a_worker_once(committed: None) -> None:
    with redis.Redis.from_url(django_settings.REDIS_URL) as queue:
        queue.delete("celery")
        for number in range(5):
            gift(number)
        drain.work()
        assert [json.loads(call)["headers"]["task"] for call in queue.lrange("celery", 0, -1)] == [
            "members.tasks.send_due_messages"
        ]
        queue.delete("celery")
        gift(6)
        drain.work()
        assert json.loads(queue.lpop("celery"))["headers"]["task"] == "members.tasks.send_message"


def reads(stage: Stage) -> list[str]:
    return [request.path for request in stage.stripe.requests if request.method == "GET"]


def test_a_renewal_costs_one_read(stage: Stage) -> None:
    stage.join("month")
    stage.stripe.advance(days=32)
    before = len(reads(stage))
    assert stage.bring() >= 4
    drain.until_nothing_is_due()
    assert Payment.objects.count() == 2
    assert [path.split("/")[2] for path in reads(stage)[before:]] == ["invoices"]
    assert Subscription.objects.get().renews_on == Payment.objects.latest("paid_at").paid_through


def test_a_new_monthly_gift_costs_two_reads(stage: Stage) -> None:
    stage.pay(stage.give("month"))
    before = len(reads(stage))
    stage.bring()
    drain.until_nothing_is_due()
    assert sorted(path.split("/")[2] for path in reads(stage)[before:]) == ["checkout", "invoices"]
    assert Subscription.objects.get().status == "active"


def test_customers_are_read_side_by_side_and_the_quick_do_not_wait(stage: Stage) -> None:
    for number in range(6):
        stage.pay(stage.give("month", email=f"monthly{number}@example.org"))
    stage.bring()
    gift(1)
    stage.stripe.fail("slow", times=6, method="GET", path="/v1/checkout/", seconds=2.0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        connections = cursor.fetchone()
    began = time.monotonic()
    drain.until_nothing_is_due()
    assert time.monotonic() - began < 12, "one after another they take more than twelve seconds"
    assert Checkout.objects.filter(status="complete").count() == 6
    quick = StripeEvent.objects.get(pk="evt_1").processed_at
    slow = StripeEvent.objects.filter(type="checkout.session.completed")
    assert quick
    assert slow.filter(processed_at__gt=quick + timedelta(seconds=0.5)).count() == 6
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert cursor.fetchone() == connections


def test_a_read_that_fails_is_asked_once_for_all_who_wait(stage: Stage) -> None:
    stage.join("month")
    stage.stripe.advance(days=32)
    stage.bring()
    stage.stripe.fail("500", times=1000, method="GET")
    before = len(reads(stage))
    drain.work()
    waiting = StripeEvent.objects.filter(state="pending")
    assert {row.error for row in waiting} == {"Stripe did not answer: APIError"}
    assert len(reads(stage)) - before <= 2 * len({row.object["id"] for row in waiting})
    stage.stripe.clear_faults()
    stage.work()
    assert Payment.objects.count() == 2


def test_the_connection_that_listens_has_every_option_of_the_address(db: None) -> None:
    options = connection.settings_dict["OPTIONS"]
    connection.settings_dict["OPTIONS"] = {**options, "sslmode": "disable", "application_name": "listening"}
    try:
        with listener() as listening:
            given = listening.info.get_parameters()
    finally:
        connection.settings_dict["OPTIONS"] = options
    assert (given["sslmode"], given["application_name"], given["tcp_user_timeout"]) == ("disable", "listening", "10000")
    assert given["dbname"] == connection.settings_dict["NAME"]

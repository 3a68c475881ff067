"""Events that come again, come rendered by another version of Stripe's, or carry what no text can hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from members.models import Message
from payments.inbox import replay
from payments.models import Case, Payment, StripeEvent
from payments.rights import ageing
from payments.stripe_api.client import API_VERSION
from tests.journeys.test_any_order import facts, live, told
from tests.stage import KEY, Stage

Raw = dict[str, Any]
OLD_VERSION = "2024-06-20"


def trimmed() -> int:
    """How many events a nightly run reduces."""
    run = ageing.run()
    assert run
    return int(run.counts["events"])


def letters_and_cases() -> tuple[list[str], list[str]]:
    return sorted(Message.objects.values_list("key", flat=True)), sorted(Case.objects.values_list("key", flat=True))


def hear(stage: Stage, events: list[Raw]) -> None:
    for event in events:
        assert stage.post(event) == 200
    stage.work()
    stage.send_mail()


def test_every_event_worked_again_changes_nothing(stage: Stage) -> None:
    hear(stage, live(stage))
    expected, told_people, mails = facts(stage), letters_and_cases(), len(stage.mails())
    assert expected["books"]["broken"] == []
    assert mails > 5
    assert replay.replay(StripeEvent.objects.all()) > 50
    stage.work()
    stage.send_mail()
    assert not StripeEvent.objects.filter(state__in=[*StripeEvent.WAITING, "dead"]).exists()
    assert facts(stage) == expected
    assert letters_and_cases() == told_people
    assert len(stage.mails()) == mails


def test_a_gift_that_came_while_the_key_was_of_the_wrong_mode_is_booked_once_it_is_right(
    stage: Stage, settings
) -> None:
    stage.pay(stage.give("once", amount="25"))
    settings.STRIPE_SECRET_KEY = "sk_live_of_the_wrong_mode"
    stage.bring()
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {"foreign"}
    assert replay.replay(StripeEvent.objects.all()) == 0, "they are still of another mode"
    settings.STRIPE_SECRET_KEY = KEY
    assert replay.replay(StripeEvent.objects.all()) > 0
    stage.settle_down()
    assert Payment.objects.get().amount == 2500
    assert stage.books()["broken"] == []
    assert [mail["To"] for mail in stage.mails()] == ["olena@example.org"]


# Kept ninety days, then reduced to ids


def test_after_ninety_days_an_event_is_ids_and_a_digest_and_still_known(stage: Stage) -> None:
    events = live(stage)
    hear(stage, events)
    expected, told_people = facts(stage), letters_and_cases()
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(days=91))
    kept = StripeEvent.objects.filter(state="processed").first()
    StripeEvent.objects.filter(pk=kept.pk).update(state="dead")
    assert b"olena@example.org" in b"".join(bytes(row.payload) for row in StripeEvent.objects.all())
    assert trimmed() == StripeEvent.objects.count() - 1
    assert trimmed() == 0
    kept.refresh_from_db()
    assert kept.trimmed_at is None, "what waits for a person is kept whole"
    left = b"".join(bytes(row.payload) for row in StripeEvent.objects.exclude(pk=kept.pk))
    for personal in (b"example.org", b'"4242"', b"Visa", "Олена".encode(), json.dumps("Олена").encode()[1:-1]):
        assert personal not in left
    StripeEvent.objects.filter(pk=kept.pk).update(state="processed")
    hear(stage, events)
    assert not StripeEvent.objects.filter(trimmed_at=None).exclude(pk=kept.pk).exists(), "every id is still known"
    assert not StripeEvent.objects.filter(state__in=StripeEvent.WAITING).exists()
    assert facts(stage) == expected
    assert letters_and_cases() == told_people


# Another version of Stripe's API


def moved(event: Raw) -> Raw:
    """As an endpoint of 2024 would send it: fields stand elsewhere, and some of today's are missing."""
    old = deepcopy(event) | {"api_version": OLD_VERSION}
    thing = old["data"]["object"]
    kind = thing["object"]
    if kind == "invoice":
        parent = thing.pop("parent", None) or {}
        thing.pop("payments", None)
        thing["subscription"] = (parent.get("subscription_details") or {}).get("subscription")
        thing["paid"] = thing["status"] == "paid"
    if kind == "subscription":
        for item in thing["items"]["data"]:
            thing["current_period_end"] = item.pop("current_period_end")
    if kind == "payment_intent":
        thing["charges"] = {"object": "list", "data": [thing.pop("latest_charge", None)]}
    if kind == "charge":
        thing["card"] = thing.pop("payment_method_details", None)
    return old


def test_another_version_of_the_api_is_read_again_and_gives_the_same_books(stage: Stage) -> None:
    events = live(stage)
    expected = told(stage, events, one_by_one=False)
    assert told(stage, [moved(event) for event in events], one_by_one=False) == expected


def test_one_event_of_another_version_is_enough(stage: Stage) -> None:
    """Nothing else tells of the gift; what stands in the event is not believed."""
    stage.pay(stage.give("once", amount="25"))
    (event,) = [each for each in stage.stripe.outbox() if each["type"] == "payment_intent.succeeded"]
    odd = moved(event)
    odd["data"]["object"] |= {"metadata": {}, "amount": 1, "amount_received": 1, "currency": "usd", "status": "odd"}
    hear(stage, [odd])
    assert StripeEvent.objects.get(pk=event["id"]).state == "processed"
    assert stage.books()["currencies"]["EUR"]["gross"] == 2500


def test_half_of_one_version_and_half_of_the_other(stage: Stage) -> None:
    """While two endpoints deliver beside each other."""
    events = live(stage)
    expected = told(stage, events, one_by_one=False)
    mixed = [moved(event) if number % 2 else event for number, event in enumerate(events)]
    assert told(stage, mixed, one_by_one=True) == expected


# What no text can hold


def with_everywhere(text: str) -> Callable[[Any], Any]:
    """Every name, address and description in it becomes this."""

    def change(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: change(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [change(inner, key) for inner in value]
        return text if key in ("name", "email", "description", "line1", "city", "nickname", "brand") else value

    return change


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x\udfff\x00", "n" * 100_000, "\u202e‮"])
def test_what_no_text_can_hold_ends_worked_or_dead_and_never_loops(stage: Stage, text: str) -> None:
    change = with_everywhere(text)
    hear(stage, [change(event) | {"metadata": {text[:40]: text}} for event in live(stage)])
    for _ in range(3):
        stage.work()
    states = set(StripeEvent.objects.values_list("state", flat=True))
    assert states <= {"processed", "ignored", "dead"}, states
    assert "processed" in states
    assert facts(stage)["books"]["broken"] == []


NAMES = {
    "charge": "charge.updated",
    "invoice": "invoice.paid",
    "refund": "refund.created",
    "customer": "customer.updated",
}
POISON = ["cus_\x00", "cus_\ud800", 5, {"id": "\x00"}, ["x"]]


@pytest.mark.parametrize("place", ["customer", "id"])
@pytest.mark.parametrize("kind", list(NAMES))
def test_an_id_that_no_text_can_hold_holds_up_no_other_event(stage: Stage, kind: str, place: str) -> None:
    stage.pay(stage.give("once"))
    for number, poison in enumerate(POISON):
        odd = {"id": f"x_{number}", "object": kind, "status": "succeeded", "metadata": {}, place: poison}
        event = {
            "id": f"evt_poison{number}",
            "object": "event",
            "type": NAMES[kind],
            "livemode": False,
            "created": int(timezone.now().timestamp()),
            "api_version": API_VERSION,
            "data": {"object": odd},
        }
        assert stage.post(event) == 200
    stage.bring()
    stage.work()
    assert Payment.objects.get().status == "succeeded"
    poisoned = StripeEvent.objects.filter(pk__startswith="evt_poison")
    assert not [row.pk for row in poisoned if row.state == "pending"], "each was tried"


# Transactions that get in each other's way


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_collisions_in_the_database_are_tried_again_and_not_counted(stage: Stage, code: str) -> None:
    """Thirty in a row are more than the eight tries of an event that fails by its own fault."""
    stage.pay(stage.give("once", amount="25"))
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE collisions")
        cursor.execute(
            f"""CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('collisions') <= 30 THEN RAISE EXCEPTION 'collision' USING ERRCODE = '{code}'; END IF;
            RETURN NEW; END $$"""
        )
        cursor.execute(
            "CREATE TRIGGER collide BEFORE INSERT ON payments_payment FOR EACH ROW EXECUTE FUNCTION collide()"
        )
    stage.bring()
    for _ in range(5):
        stage.work()
    rows = StripeEvent.objects.filter(type__in=["payment_intent.succeeded", "charge.succeeded"])
    assert {(row.state, row.attempts <= 2) for row in rows} == {("processed", True)}
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SELECT last_value FROM collisions")
        assert cursor.fetchone()[0] > 30
    assert stage.books()["currencies"]["EUR"]["payments"] == 1
    assert stage.books()["broken"] == []

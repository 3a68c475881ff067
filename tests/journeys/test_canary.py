"""A canary goes through every door, is erased, and is looked for everywhere: tables, Redis, logs, mails, files.

The tables are read with COPY, as pg_dump reads them; bytes are searched unescaped too.
"""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members import delivery
from members.models import Message, Supporter
from payments import cases
from payments.models import Case, Checkout, Dispute, LedgerEntry, Payment, Refund, Subscription
from payments.rights import erasing, export, people
from tests import colleagues
from tests.payments.desk.test_refunding import send_back
from tests.payments.reader_links import FAILS, GOOD
from tests.stage import Stage, link

pytestmark = pytest.mark.django_db

# One word in everything that the person types or that is typed about them, and their two addresses.
WORD = "kanarka"
FIRST, NOW = "kanarka.typo@example.org", "kanarka@example.org"
NAME = "Жовта Kanarka"
# Of the card that the person used last.
DIGITS = "5555"


def look_everywhere(caplog: pytest.LogCaptureFixture, data_dir: Path) -> list[str]:
    """Every place in which one of the words stands."""
    places = [f"table {name}" for name, text in tables().items() if is_named(text)]
    places += [f"redis {key}" for key, text in in_redis().items() if is_named(f"{key}{text}")]
    places += [f"log {record.name}" for record in caplog.records if is_named(record.getMessage())]
    places += [f"file {path.name}" for path in data_dir.rglob("*") if path.is_file() and is_named(content(path))]
    return places


def is_named(text: str) -> bool:
    return WORD in text.lower() or "жовта" in text.lower()


def content(path: Path) -> str:
    return f"{path.name}{path.read_bytes().decode('utf-8', 'replace')}"


def tables() -> dict[str, str]:
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            with cursor.copy(f'COPY "{name}" TO STDOUT') as copy:  # our own names
                text = b"".join(bytes(part) for part in copy).decode()
            found[name] = text
        cursor.execute("SELECT payload FROM payments_stripeevent")
        payloads = [bytes(row[0]).decode() for row in cursor.fetchall()]
    found["payloads"] = "".join(payloads) + json.dumps([json.loads(each) for each in payloads], ensure_ascii=False)
    return found


def in_redis() -> dict[str, str]:
    client = redis.Redis.from_url(django_settings.REDIS_URL)
    read = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    return {key.decode("utf-8", "replace"): str(read[client.type(key)](key)) for key in client.scan_iter("*")}


def every_door(stage: Stage, settings: Any) -> None:
    settings.ENTITLEMENT_LOOKUPS_PER_MINUTE = 100
    # An attempt that was left, one whose card was declined, and a gift with a mistyped address.
    stage.give("once", email=FIRST, name=NAME, article=f"about-{WORD}")
    declined = stage.give("month", email=FIRST, name=NAME)
    stage.pay(declined, card="4000000000000002")
    stage.join("once", amount="25", email=FIRST, name=NAME, article=f"about-{WORD}")
    who = Supporter.objects.get()

    # Staff: the address, the email again, a part of the money back with a sentence.
    desk = Client()
    colleagues.sign_in(desk)
    desk.post(act(who, "correct-address"), {"email": NOW})
    desk.post(act(Message.objects.get(), "resend"))
    send_back(desk, Payment.objects.get(), amount="5", sentence=f"Dear {NAME}")
    stage.settle_down()

    # A monthly gift: less, a failing card, another card, letters chosen, a link asked for.
    stage.join("month", amount="12", email=NOW, name=NAME, article=f"about-{WORD}")
    stop = link(stage.last_mail(), "/stop/")
    stage.client.post(stop, {"do": "lower"})
    stage.settle_down()
    customer = Subscription.objects.get().stripe_customer_id
    stage.stripe.set_payment_method(customer, card=FAILS)
    stage.settle_down()
    stage.advance(33)
    assert Payment.objects.filter(status="failed").exists()
    stage.stripe.set_payment_method(customer, card=GOOD)
    stage.settle_down()
    stage.client.post(link(stage.last_mail(), "/preferences/"), {"language": "uk", "is_discreet": "on"})
    stage.client.post("/support/manage/", {"email": NOW})

    # A bank takes a gift back; a case is settled with a note; a report of the mail provider.
    stage.stripe.dispute(Payment.objects.get(frequency="once").stripe_charge_id)
    stage.settle_down()
    case = cases.open_case(Case.Kind.UNUSUAL_GIFT, "canary", who, {"payment": Payment.objects.first().pk})
    desk.post(act(case, "settle"), {"note": f"Spoke to {NAME}"})
    report(Message.objects.filter(supporter=who).last())
    # The stop, with words; and what staff look at.
    stage.client.post(stop, {"do": "stop", "reason": "disagree", "words": f"I am {NAME}, {NOW}"})
    stage.settle_down()
    desk.get(reverse("admin:members_supporter_changelist"), {"q": NOW})
    desk.get(reverse("admin:members_supporter_change", args=[who.pk]))
    export.make(people.find(NOW), "desk")


def act(row: Any, slug: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{slug}", args=[row.pk])


def report(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(provider_id="canary-1")
    told = delivery.ProviderReport(
        report_id=f"report-{WORD}",
        what=Message.Delivery.DELAYED,
        provider_id="canary-1",
        happened_at=timezone.now(),
        words=f"450 <{NOW}> is full",
    )
    assert delivery.record(told)


def test_nothing_is_left_of_a_canary_but_facts_of_the_books(
    stage: Stage, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.handler.records.clear()
    every_door(stage, settings)
    before = look_everywhere(caplog, tmp_path)
    expected = ("supporter", "checkout", "message", "deliveryreport", "subscriptionchange", "refundrequest", "case")
    assert [name for name in expected if not any(place.endswith(name) for place in before)] == []
    assert {"table payloads"} <= set(before)
    assert [place for place in before if place.startswith("file")]
    assert [place for place in before if place.startswith(("redis", "log"))] == [], "never there at all"
    facts = sealed()
    was = stage.books()

    erasure = erasing.erase(people.find(NOW), "desk")
    stage.settle_down()
    erasing.carry_out_due()
    stage.settle_down()
    erasure.refresh_from_db()
    assert erasure.state == "done"
    assert look_everywhere(caplog, tmp_path) == []
    # As a word: a digest may hold these digits by chance.
    held = [name for name, text in tables().items() if name.startswith("members") and re.search(rf"\b{DIGITS}\b", text)]
    assert held == []
    methods = {
        *Payment.objects.values_list("method", flat=True),
        *Subscription.objects.values_list("method", flat=True),
    }
    assert not any(any(character.isdigit() for character in method) for method in methods)

    # What stays, and all that stays: amounts, dates and ids, unchanged.
    assert sealed() == facts
    now = stage.books()
    assert {name: value for name, value in now.items() if name != "active_subscriptions"} == {
        name: value for name, value in was.items() if name != "active_subscriptions"
    }
    assert now["broken"] == []

    # And nothing of what comes later brings it back.
    for number, event in enumerate(stage.stripe.events()):
        assert stage.post({**event, "id": f"evt_again{number}"}) == 200
    stage.settle_down()
    stage.advance(2)
    assert look_everywhere(caplog, tmp_path) == []
    assert sealed() == facts


def sealed() -> dict[str, list[tuple[object, ...]]]:
    """The facts of the books: amounts, dates and ids at Stripe."""
    wanted = {
        Payment: ("public_id", "status", "amount", "refunded_amount", "disputed_amount", "currency", "paid_at"),
        Refund: ("stripe_refund_id", "amount", "status"),
        Dispute: ("stripe_dispute_id", "amount", "withdrawn_amount"),
        LedgerEntry: ("source", "kind", "amount", "settled_amount", "fee", "occurred_at"),
        Checkout: ("public_id", "reference", "amount", "status"),
    }
    return {
        model.__name__: list(model._default_manager.order_by("pk").values_list(*fields))
        for model, fields in wanted.items()
    }

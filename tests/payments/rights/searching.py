"""What the tests of erasing share: erase somebody, look for words in every table, bring back what was."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.apps import apps
from django.core import serializers
from django.db import connection, models

from payments.models import (
    Erasure,
)
from payments.rights import erasing, people
from payments.stripe_api import client
from tests.conftest import KEPT, empty_the_tables
from tests.stage import Stage

OLENA = "olena@example.org"


def erase(stage: Stage, email: str = OLENA) -> Erasure:
    erasure = erasing.erase(people.find(email), "command")
    stage.settle_down()
    erasure.refresh_from_db()
    return erasure


def at_stripe(customer: str) -> bool:
    return not client.read_customer(customer).is_deleted


def remains(*words: str) -> list[str]:
    """Where a word still stands in any table of ours; payloads are searched with their characters unescaped."""
    found = []
    for table in apps.get_models():
        for row in table._default_manager.all():
            for field in table._meta.concrete_fields:
                value = getattr(row, field.attname)
                text = bytes(value).decode() if isinstance(value, bytes | memoryview) else str(value)
                if any(word.lower() in f"{text} {escaped(text)}".lower() for word in words):
                    found.append(f"{table.__name__}.{field.name} {row.pk}")
    return found


def all_rows() -> Iterator[models.Model]:
    for app in ("members", "appeals", "payments"):
        for table in apps.get_app_config(app).get_models():
            if table._meta.db_table not in KEPT:
                yield from table._default_manager.all()


def restore(backup: str) -> None:
    """The database is as it was: triggers and checks of references sleep, as during pg_restore."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        empty_the_tables()
        cursor.execute("SET session_replication_role = replica")
        for row in serializers.deserialize("json", backup):
            row.save()
        cursor.execute("SET session_replication_role = DEFAULT")


def escaped(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return ""


def everything_again(stage: Stage) -> set[str]:
    """Every event that Stripe lists comes once more, under another id; returns their types."""
    types = set()
    for number, event in enumerate(stage.stripe.world.store.all("event")):
        assert stage.post({**event, "id": f"evt_late{number}"}) == 200
        types.add(event["type"])
    return types

"""The log of staff: complete, without names, chained, and refused to be changed."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import StaffLogEntry
from members.staff import roles, staff_log
from tests import colleagues, factories

LOG = "/admin/members/stafflogentry/"


@pytest.mark.django_db
def test_reads_and_acts_are_in_it_by_number_only(client: Client) -> None:
    me = colleagues.sign_in(client)
    who = factories.supporter(name="Olena", email="olena@example.org")
    paid, letter = factories.payment(who), factories.message(who, body_html="<p>Dear Olena</p>")
    for row in (who, paid, letter):
        client.get(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]))
    client.get(reverse("admin:members_message_letter", args=[letter.pk]))
    client.post(reverse("admin:members_supporter_correct-address", args=[who.pk]), {"email": "new@example.org"})
    lines = StaffLogEntry.objects.order_by("pk").values_list("action", "actor", "person", "target_id")
    assert list(lines) == [
        ("supporter.viewed", me.pk, who.pk, str(who.pk)),
        ("payment.viewed", me.pk, who.pk, str(paid.pk)),
        ("message.viewed", me.pk, who.pk, str(letter.pk)),
        ("message.read", me.pk, who.pk, str(letter.pk)),
        ("supporter.correct-address", me.pk, who.pk, str(who.pk)),
    ]
    everything = str(list(StaffLogEntry.objects.values())).lower()
    assert not [word for word in ("olena", "example.org", "marta") if word in everything]


@pytest.mark.django_db
def test_a_line_costs_three_queries() -> None:
    user, who = factories.staff(), factories.supporter()
    staff_log.record(user, "supporter.viewed", who)
    with CaptureQueriesContext(connection) as asked:
        staff_log.record(user, "supporter.viewed", who)
    assert len([each for each in asked if "SAVEPOINT" not in each["sql"]]) == 3


@pytest.mark.django_db
def test_the_owner_reads_it_in_words_and_nobody_else(client: Client) -> None:
    marta = factories.staff("marta")
    who = factories.supporter()
    staff_log.record(marta, "supporter.viewed", who)
    staff_log.record(marta, "people.searched", term=staff_log.hidden("olena"))
    staff_log.record(None, "colleague.factor_reset", marta)
    colleagues.sign_in(client, colleagues.in_role(roles.OWNER))
    shown = client.get(LOG).content.decode()
    for words in ("Looked at it", "Searched for a person", "marta", "on the server", f"supporter {who.pk}"):
        assert words in shown, words
    assert client.get(f"{LOG}?kind=searches").context["cl"].result_count == 1
    assert client.get(f"{LOG}?kind=reads&person={who.pk}&actor={marta.pk}").context["cl"].result_count == 1
    line = StaffLogEntry.objects.order_by("pk").first()
    assert client.get(reverse("admin:members_stafflogentry_change", args=[line.pk])).status_code == 200
    colleagues.sign_in(client, colleagues.in_role(roles.MANAGER))
    assert client.get(LOG).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE members_stafflogentry SET action = 'x'",
        "DELETE FROM members_stafflogentry",
        "TRUNCATE members_stafflogentry",
    ],
)
def test_the_database_refuses_every_change(statement: str) -> None:
    staff_log.record(None, "person.exported")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def by_force(statement: str) -> None:
    """Do what only the owner of the database can: switch the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = DEFAULT")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE members_stafflogentry SET actor = 1 WHERE id = {}",
        "UPDATE members_stafflogentry SET details = '{{}}' WHERE id = {}",
        "UPDATE members_stafflogentry SET happened_at = happened_at + interval '1 s' WHERE id = {}",
        "DELETE FROM members_stafflogentry WHERE id = {}",
    ],
)
def test_a_change_by_force_is_noticed(statement: str) -> None:
    lines = [staff_log.record(None, "person.exported", number=number, what="ключ") for number in range(5)]
    assert staff_log.verify() == staff_log.Verdict(5, lines[-1].digest, [])
    by_force(statement.format(lines[2].pk))
    assert staff_log.verify().broken
    with pytest.raises(SystemExit):
        call_command("verify_log", stdout=StringIO(), stderr=StringIO())


@pytest.mark.django_db
def test_the_command_says_that_the_chain_is_whole(settings: Any) -> None:
    staff_log.record(None, "person.exported")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, after a rotation of it, long enough"
    last = staff_log.record(None, "person.erased")
    out = StringIO()
    call_command("verify_log", stdout=out)
    assert "The chain is whole." in out.getvalue()
    assert last.digest in out.getvalue()


def test_many_at_once_make_one_chain(committed: None) -> None:
    def write() -> None:
        for _number in range(5):
            staff_log.record(None, "person.exported")
        connection.close()

    threads = [threading.Thread(target=write) for _number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    verdict = staff_log.verify()
    assert (verdict.rows, verdict.broken) == (30, [])


@pytest.mark.django_db
def test_a_changed_password_is_in_it(client: Client) -> None:
    me = colleagues.sign_in(client)
    new = "vyshyvanka at dawn 7"
    fields = {"old_password": "a long pass phrase", "new_password1": new, "new_password2": new}
    assert client.post("/admin/password_change/", fields).status_code == 302
    assert StaffLogEntry.objects.get(action="password.changed").actor == me.pk

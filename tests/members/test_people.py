"""Supporters are found or created by address: one per address, however capitalised, also concurrently."""

from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction

from members import people
from members.models import Supporter
from members.people import Giver
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_same_address_is_the_same_person() -> None:
    first = people.get_and_lock(" Olena@Example.org ", name="Olena", language="uk")
    again = people.get_and_lock("olena@example.ORG", name="Somebody Else", language="en")
    assert again == first
    assert (again.email, again.name, again.language) == ("Olena@Example.org", "Olena", "uk")
    assert first.public_id == Supporter.objects.get().public_id


def test_an_empty_name_is_filled_in_and_a_known_one_kept() -> None:
    who = factories.supporter(email="ivan@example.org", name="")
    assert people.get_and_lock("ivan@example.org").name == ""
    assert people.get_and_lock("ivan@example.org", name="Ivan").name == "Ivan"
    assert people.get_and_lock("ivan@example.org", name="Petro").name == "Ivan"
    who.refresh_from_db()
    assert who.name == "Ivan"


@pytest.mark.parametrize("email", ["İstanbul@example.org", "STRASSE@example.org", "ΑΣ@example.org", "Є@example.org"])
def test_capitals_that_python_and_postgres_see_differently(email: str) -> None:
    assert people.get_and_lock(email) == people.get_and_lock(email)


def test_many_at_once_come_back_in_the_order_asked_for() -> None:
    known = factories.supporter(email="known@example.org", name="Known")
    givers = [
        Giver("z@example.org", "", "en"),
        Giver("KNOWN@example.org", "Other", "en"),
        Giver("a@example.org", "", "uk"),
        Giver("Z@example.org", "Zoya", "uk"),
    ]
    found = people.get_and_lock_all(givers)
    assert [who.email.lower() for who in found] == [giver.email.lower() for giver in givers]
    assert found[1] == known
    assert found[0] == found[3]
    assert found[0].name == "Zoya"
    assert Supporter.objects.count() == 3


def test_nobody_asked_for_is_nobody_found() -> None:
    assert people.get_and_lock_all([]) == []


@pytest.mark.django_db(transaction=True)
def test_twenty_at_the_same_moment_are_one_person() -> None:
    barrier = threading.Barrier(20)
    found: list[int] = []

    def ask(number: int) -> None:
        barrier.wait()
        with transaction.atomic():
            crowd = [Giver(f"reader{other}@example.org", "", "en") for other in (range(5) if number % 2 else [4, 2, 0])]
            found.extend(who.pk for who in people.get_and_lock_all(crowd))
        connections.close_all()

    threads = [threading.Thread(target=ask, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 10 * 5 + 10 * 3
    assert Supporter.objects.count() == len(set(found)) == 5

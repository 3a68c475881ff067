"""Staff see the way to give in each of its states, with how much it holds back, and get one email a state."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from members import clock
from members.models import Message
from payments.alerts import watch
from payments.guard import held
from payments.models import DoorPeriod, FailedTry, HeldGift
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _movable_clock(settings) -> None:
    settings.DEBUG = True
    settings.STAFF_ALERT_EMAILS = ["desk@example.org"]
    clock.reset()


def front_page(*permissions: str) -> str:
    client = Client()
    client.force_login(factories.staff("marta", *permissions), backend="django.contrib.auth.backends.ModelBackend")
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", client.get("/admin/").content.decode())).split())


def fail(count: int, **facts: object) -> None:
    number = FailedTry.objects.count()
    known = {"tried_at": clock.now(), **facts}
    FailedTry.objects.bulk_create(FailedTry(key=f"ch_{number + n}", **known) for n in range(count))


def hold() -> None:
    held.hold("olena@example.org", 1000, "EUR", is_suspicious=False)
    held.hold("olena@example.org", 1000, "EUR", is_suspicious=False)
    held.hold("maria@example.org", 2500, "EUR", is_suspicious=True)
    held.hold("petro@example.org", 40000, "UAH", is_suspicious=True)


def test_an_open_door_is_said_to_be_open() -> None:
    said = front_page("payments.view_doorperiod")
    assert "open as always" in said
    assert "0 cards failed within an hour. No gift is held back." in said


def test_who_may_not_see_it_does_not() -> None:
    assert "The way to give" not in front_page("payments.view_payment")


@pytest.mark.parametrize(("state", "words"), [("guarded", "guarded"), ("closed", "closed to the suspicious")])
def test_a_guarded_door_is_shown_with_what_it_holds_back(state: str, words: str) -> None:
    DoorPeriod.objects.create(state=state, since=clock.now() - timedelta(minutes=1), declines=31)
    fail(31)
    hold()
    said = front_page("payments.view_doorperiod")
    assert words in said
    assert "31 cards failed within an hour." in said
    assert "3 gifts are not through: €35, ₴400." in said


def test_what_passes_is_no_longer_held_back() -> None:
    hold()
    held.release("Maria@example.org")
    assert held.count(None) == (2, ["€10", "₴400"])


def test_the_list_of_guarded_times_and_a_page_of_one(client: Client) -> None:
    since = clock.now() - timedelta(hours=2)
    row = DoorPeriod.objects.create(state="closed", since=since, until=since + timedelta(hours=1), declines=77)
    hold()
    HeldGift.objects.update(held_at=since + timedelta(minutes=5))
    client.force_login(factories.staff(), backend="django.contrib.auth.backends.ModelBackend")
    assert "77" in client.get("/admin/payments/doorperiod/").content.decode()
    page = client.get(f"/admin/payments/doorperiod/{row.pk}/change/").content.decode()
    assert "3 (€35, ₴400)" in unescape(page)


def test_staff_get_one_email_a_state() -> None:
    fail(31, networks=["0:mark"])
    hold()
    for _ in range(3):
        watch.judge()
    subjects = [message.context["subject"] for message in Message.objects.order_by("pk")]
    assert subjects.count("The way to give is guarded") <= 1
    assert subjects.count("Stolen cards are being tested") == 1
    words = Message.objects.get(context__subject="Stolen cards are being tested").context["words"]
    assert "31" in words
    assert "3 (€35, ₴400)" in words


def test_a_storm_of_gifts_guards_without_alarming_about_cards(settings) -> None:
    settings.CHECKOUT_LIMIT_IN_ALL = -1
    watch.judge()
    subjects = [message.context["subject"] for message in Message.objects.order_by("pk")]
    assert subjects.count("The way to give is guarded") == 1
    assert "Stolen cards are being tested" not in subjects

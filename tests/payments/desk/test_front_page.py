"""The figures on the desk's first page: correct, per currency, linked to their lists, in few queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members import clock
from payments import cases
from payments.desk import front_page
from payments.reports import desk as numbers
from tests import factories

pytestmark = pytest.mark.django_db


def sign_in(client: Client, *permissions: str) -> Client:
    client.force_login(factories.staff("marta", *permissions), backend="django.contrib.auth.backends.ModelBackend")
    return client


def start_of_today():
    return timezone.localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)


def test_gifts_of_today_and_this_month_by_the_business_date_and_per_currency() -> None:
    today = start_of_today()
    month = today.replace(day=1)
    for currency in ("EUR", "UAH"):
        factories.payment(amount=1000, currency=currency, created_at=today)
    factories.payment(amount=500, created_at=today, status="failed")
    factories.payment(amount=2000, created_at=month - timedelta(days=60), paid_at=month)
    factories.payment(amount=4000, created_at=month - timedelta(seconds=1))
    found = {row.currency: row for row in numbers.received()}
    first_day = today == month
    assert (found["EUR"].today, found["EUR"].gifts_today) == ((3000, 2) if first_day else (1000, 1))
    assert (found["EUR"].month, found["EUR"].gifts_month) == (3000, 2)
    assert (found["UAH"].today, found["UAH"].month) == (1000, 1000)


def test_a_patron_with_two_memberships_counts_once() -> None:
    who = factories.supporter()
    for _ in range(2):
        factories.membership(who, paid_through=clock.today())
    factories.membership(paid_through=clock.today() - timedelta(days=1))
    assert numbers.active_patrons() == 1


def test_what_waits_is_counted_with_its_age() -> None:
    hour_ago = timezone.now() - timedelta(hours=1)
    for state in ("pending", "failed", "dead", "processed", "ignored"):
        factories.event(state, received_at=hour_ago)
    found = numbers.events()
    assert {state: row.count for state, row in found.items()} == {"pending": 1, "failed": 1, "dead": 1}
    assert found["pending"].oldest == hour_ago
    cases.open_case("duplicate_payment", "a")
    cases.close(cases.open_case("duplicate_payment", "b"), factories.staff(), "Done.")
    assert numbers.open_cases().count == 1
    for state in ("failed", "unknown", "sent", "pending"):
        factories.message(state=state)
    assert numbers.messages_in_trouble() == {"failed": 1, "unknown": 1}


def test_every_number_leads_to_a_list_that_opens(client: Client) -> None:
    sign_in(client)
    for state in ("failed", "dead"):
        factories.event(state)
    factories.message(state="unknown")
    factories.payment(created_at=clock.now())
    home = client.get("/admin/")
    page = home.content.decode()
    shown = home.context["cards"]
    assert len(shown) == 6
    for card in shown:
        assert card.href.replace("&", "&amp;") in page
        assert client.get(card.href).status_code == 200, card.name


def test_an_empty_newsroom_has_a_first_page_too(client: Client) -> None:
    assert sign_in(client).get("/admin/").status_code == 200


def test_only_numbers_one_may_see_are_counted(client: Client) -> None:
    sign_in(client, "payments.view_case")
    assert [card.name for card in client.get("/admin/").context["cards"]] == ["Open cases"]


def test_six_numbers_ask_few_queries(client: Client) -> None:
    sign_in(client)
    for _ in range(5):
        factories.payment(created_at=clock.now())
        factories.event("failed")
    marta = factories.User.objects.get()
    with CaptureQueriesContext(connection) as asked:
        front_page.cards(marta)
    assert len(asked) == 9, "three for the way to give, one for refunds that wait"
    client.get("/admin/")
    with CaptureQueriesContext(connection) as asked:
        client.get("/admin/")
    assert len(asked) <= 14

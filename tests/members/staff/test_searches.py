"""Searching for people: the words are posted, an address holds an id, and nobody finds whom they may not see."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.admin.plain import PlainAdmin
from members.models import Membership, StaffLogEntry, StoredSearch, Supporter
from members.staff import roles, searches
from payments import daily
from tests import colleagues, factories
from tests.payments.admin.test_lists import one_of_everything

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/members/supporter/"
MEMBERSHIPS = "/admin/members/membership/"
PAYMENTS = "/admin/payments/payment/"


def lists_of_people() -> list[str]:
    found = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model, page in admin.site._registry.items()
        if isinstance(page, PlainAdmin) and page.searches_people
    ]
    assert len(found) > 8
    return found


def rows(answer: Any) -> set[Any]:
    return {row.pk for row in answer.context["cl"].result_list}


def test_no_list_puts_words_into_its_address_or_a_log(client: Client, caplog: Any) -> None:
    colleagues.sign_in(client)
    one_of_everything()
    caplog.set_level(logging.DEBUG)
    for address in lists_of_people():
        page = client.get(address).content.decode()
        form = page.partition('id="changelist-search"')[2].partition(">")[0]
        assert 'method="post"' in form, address
        sent_on = client.post(address, {"q": "Olena olena@example.org"})
        assert sent_on.status_code == 302
        assert "olena" not in sent_on["Location"].lower()
        shown = client.get(sent_on["Location"])
        assert 'value="Olena olena@example.org"' in shown.content.decode(), address
        title = shown.content.decode().partition("<title>")[2].partition("</title>")[0]
        assert "olena" not in title.lower()
    assert "olena" not in caplog.text.lower()
    log = str(list(StaffLogEntry.objects.values()))
    assert "olena" not in log.lower()
    assert StaffLogEntry.objects.filter(action="people.searched").count() == len(lists_of_people())


def test_words_in_an_address_are_not_searched(client: Client) -> None:
    colleagues.sign_in(client)
    for address in lists_of_people():
        answer = client.get(f"{address}?q=olena%40example.org")
        assert (answer.status_code, answer["Location"]) == (302, f"{address}?"), address


def test_a_search_keeps_the_filters_and_pages_keep_the_search(client: Client) -> None:
    colleagues.sign_in(client)
    mine = factories.payment(factories.supporter(name="Olena"))
    factories.payment(factories.supporter(name="Olena"), status="failed")
    found = client.post(f"{PAYMENTS}?status__exact=succeeded&p=3", {"q": "olena"}, follow=True)
    assert rows(found) == {mine.pk}
    assert "status__exact=succeeded" in found.redirect_chain[0][0]
    assert "p=3" not in found.redirect_chain[0][0]
    search_id = StoredSearch.objects.get().pk
    assert f"q={search_id}" in found.content.decode(), "the links of the filters hold the id"


def test_an_id_is_its_users_and_its_lists_and_runs_out(client: Client) -> None:
    me = colleagues.sign_in(client)
    search = searches.keep(me, "members.supporter", "olena")
    assert client.get(f"{PEOPLE}?q={search}").status_code == 200
    assert client.get(f"{PAYMENTS}?q={search}").status_code == 302
    other = Client()
    colleagues.sign_in(other, factories.staff("iryna"))
    assert other.get(f"{PEOPLE}?q={search}").status_code == 302
    StoredSearch.objects.update(created_at=timezone.now() - timedelta(hours=13))
    assert client.get(f"{PEOPLE}?q={search}").status_code == 302
    searches.keep(me, "members.supporter", "x")
    assert StoredSearch.objects.count() == 1, "what is over is deleted"
    daily.run()
    assert StoredSearch.objects.count() == 1
    StoredSearch.objects.update(created_at=timezone.now() - timedelta(hours=13))
    daily.run()
    assert not StoredSearch.objects.exists(), "the hourly jobs delete them too"
    searches.keep(me, "members.supporter", "x")
    searches.forget_all()
    assert not StoredSearch.objects.exists()


def test_who_may_not_see_people_cannot_guess_them_by_searching(client: Client) -> None:
    who = factories.supporter(name="Olena", email="olena@example.org")
    paid = factories.payment(who)
    membership = factories.membership(who)
    viewer = factories.staff("petro", "members.view_membership", "payments.view_payment")
    colleagues.sign_in(client, viewer)
    shown = client.get(PAYMENTS).content.decode()
    assert f"#{who.pk}" in shown
    for word in ("Olena", "olena@"):
        assert word not in shown
        assert rows(colleagues.search(client, PAYMENTS, word)) == set(), word
        assert rows(colleagues.search(client, MEMBERSHIPS, word)) == {membership.pk}, "the search asks nothing there"
    assert rows(colleagues.search(client, MEMBERSHIPS, "nobody")) == {membership.pk}
    assert rows(colleagues.search(client, PAYMENTS, str(paid.stripe_charge_id))) == {paid.pk}


def test_finance_sees_money_and_numbers_and_support_sees_people(client: Client) -> None:
    who = factories.supporter(name="Olena", email="olena@example.org")
    paid = factories.payment(who)
    page = reverse("admin:payments_payment_change", args=[paid.pk])
    colleagues.sign_in(client, colleagues.in_role(roles.FINANCE))
    for address in (PAYMENTS, page):
        shown = client.get(address).content.decode()
        assert "Olena" not in shown
        assert "olena@" not in shown
        assert f"#{who.pk}" in shown
    assert client.get(PEOPLE).status_code == 403
    colleagues.sign_in(client, colleagues.in_role(roles.SUPPORT))
    assert "Olena" in client.get(page).content.decode()
    assert rows(colleagues.search(client, PEOPLE, "olena")) == {who.pk}


@pytest.mark.parametrize("rubbish", ["\x00", "s-", "s-\x00", "'", "%", "9" * 60, "s-" + "x" * 300, " "])
def test_rubbish_is_no_error(client: Client, rubbish: str) -> None:
    colleagues.sign_in(client)
    for address in (PEOPLE, MEMBERSHIPS, PAYMENTS):
        assert client.get(address, {"q": rubbish}).status_code in (200, 302)
        assert client.post(address, {"q": rubbish}).status_code in (200, 302)


AT_RISK = ["Daryna", "daryna@example.org"]


def hidden_person() -> dict[type, Any]:
    """Return a row of everything that is about one person at risk."""
    with connection.cursor() as cursor:  # a number that no other row has
        cursor.execute("SELECT setval('members_supporter_id_seq', nextval('members_supporter_id_seq') + 7000000)")
    found: dict[type, Any] = one_of_everything()
    who = found[Supporter]
    Supporter.objects.filter(pk=who.pk).update(is_at_risk=True, name=AT_RISK[0], email=AT_RISK[1])
    found[Membership] = Membership.objects.get(supporter=who)
    return found


@pytest.mark.parametrize("role", [roles.SUPPORT, roles.FINANCE])
def test_who_is_at_risk_is_nowhere_for_those_without_the_right(client: Client, role: str) -> None:
    found = hidden_person()
    number = str(found[Supporter].pk)
    colleagues.sign_in(client, colleagues.in_role(role))
    opened = 0
    for model, row in found.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listed, page = client.get(reverse(f"{name}_changelist")), client.get(reverse(f"{name}_change", args=[row.pk]))
        client.cookies.pop("messages", None)  # "supporter with ID ... does not exist": what was just asked for
        for answer in (listed, page):
            if answer.status_code != 200:
                continue
            opened += 1
            shown = answer.content.decode()
            assert not [word for word in (*AT_RISK, number) if word in shown], (model, answer.request["PATH_INFO"])
    assert opened > 6
    if role == roles.SUPPORT:
        assert rows(client.get(PAYMENTS)) == set()
        assert client.get(PEOPLE).context["cl"].result_count == 0
        for address in (PEOPLE, PAYMENTS, MEMBERSHIPS, "/admin/members/message/", "/admin/payments/checkout/"):
            for word in (*AT_RISK, str(found[Supporter].pk)):
                assert colleagues.search(client, address, word).context["cl"].result_count == 0, (address, word)
        by_number = client.get(f"{PAYMENTS}?supporter={found[Supporter].pk}")
        assert by_number.context["cl"].result_count == 0


@pytest.mark.parametrize("role", [roles.MANAGER, roles.OWNER])
def test_managers_and_owners_see_them_and_take_the_mark_away(client: Client, role: str) -> None:
    who = hidden_person()[Supporter]
    colleagues.sign_in(client, colleagues.in_role(role))
    assert AT_RISK[0] in client.get(PAYMENTS).content.decode()
    page = reverse("admin:members_supporter_change", args=[who.pk])
    assert AT_RISK[0] in client.get(page).content.decode()
    client.post(reverse("admin:members_supporter_unmark-at-risk", args=[who.pk]))
    assert not Supporter.objects.get(pk=who.pk).is_at_risk
    client.post(reverse("admin:members_supporter_mark-at-risk", args=[who.pk]))
    assert Supporter.objects.get(pk=who.pk).is_at_risk
    acts = list(StaffLogEntry.objects.filter(person=who.pk).order_by("pk").values_list("action", flat=True))
    assert acts == ["supporter.viewed", "supporter.unmark-at-risk", "supporter.mark-at-risk"]

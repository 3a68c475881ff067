"""Signing in to the staff desk: after five wrong passwords it is refused for a quarter of an hour."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.db.models import F
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"


@pytest.fixture(autouse=True)
def nothing_tried() -> None:
    factories.forget_tries()


def sign_in(client: Client, password: str, name: str = "marta", **how: str):
    return client.post("/admin/login/?next=/admin/", {"username": name, "password": password, "next": "/admin/"}, **how)


def fail(client: Client, times: int, **how: str) -> list[int]:
    return [sign_in(client, "wrong", **how).status_code for _ in range(times)]


def test_the_page_says_where_one_is_and_names_nobody(client: Client) -> None:
    page = client.get("/admin/login/").content.decode()
    assert "<title>Sign in to the desk · The Dnipro Courier</title>" in page
    assert client.get("/admin/").status_code == 302


def test_the_right_password_opens_the_desk(client: Client) -> None:
    factories.staff()
    assert sign_in(client, PASSWORD)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_five_wrong_passwords_close_the_door_kindly(client: Client) -> None:
    factories.staff()
    assert fail(client, 5) == [200, 200, 200, 200, 429]
    closed = sign_in(client, PASSWORD)
    assert closed.status_code == 429
    assert "closed for 15 minutes" in closed.content.decode()
    assert "marta" not in closed.content.decode()
    assert client.get("/admin/").status_code == 302


def test_others_and_other_places_are_not_closed(client: Client) -> None:
    factories.staff()
    factories.staff("iryna")
    fail(client, 5)
    assert sign_in(client, PASSWORD, "iryna").status_code == 302
    assert sign_in(Client(), PASSWORD, REMOTE_ADDR="203.0.113.9").status_code == 302


@pytest.mark.parametrize(
    ("proxies", "remote", "forged", "genuine"),
    [
        (0, "203.0.113.9", "{}", None),
        (1, "10.0.0.1", "{}, 203.0.113.9", "198.51.100.7"),
        (1, "10.0.0.1", "203.0.113.9", "198.51.100.7"),
        (2, "10.0.0.1", "{}, 203.0.113.9, 10.0.0.2", "198.51.100.7, 10.0.0.2"),
        (2, "10.0.0.1", "203.0.113.9, 10.0.0.2", "198.51.100.7, 10.0.0.2"),
    ],
)
def test_a_forged_header_neither_opens_the_door_nor_closes_it_for_others(
    client: Client, settings: Any, proxies: int, remote: str, forged: str, genuine: str | None
) -> None:
    """Whatever the attacker writes into it, and whether the proxies append to the header or replace it."""
    settings.TRUSTED_PROXY_COUNT = proxies
    factories.staff()
    headers = [{"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forged.format(f"1.1.1.{n}")} for n in range(6)]
    assert [sign_in(client, "wrong", **each).status_code for each in headers] == [200, 200, 200, 200, 429, 429]
    owner = {"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": genuine} if genuine else {"REMOTE_ADDR": "198.51.100.7"}
    assert sign_in(Client(), PASSWORD, **owner).status_code == 302


def test_all_addresses_of_one_network_are_closed_as_one(client: Client) -> None:
    factories.staff()
    tries = [sign_in(client, "wrong", REMOTE_ADDR=f"2001:db8:1:2::{n}").status_code for n in range(6)]
    assert tries == [200, 200, 200, 200, 429, 429]
    assert AccessAttempt.objects.get().ip_address == "2001:db8:1:2::"
    assert sign_in(Client(), PASSWORD, REMOTE_ADDR="2001:db8:1:3::1").status_code == 302


def test_many_networks_that_try_one_name_are_slowed_and_its_owner_is_not(client: Client) -> None:
    factories.staff()
    factories.staff("iryna")
    assert sign_in(client, PASSWORD).status_code == 302
    client.post("/admin/logout/")
    tries = [sign_in(Client(), "wrong", REMOTE_ADDR=f"203.0.113.{n}") for n in range(40)]
    assert [page.status_code for page in tries] == [200] * 40
    busy = ["Too many passwords were tried" in page.content.decode() for page in tries]
    assert busy == [False] * 29 + [True] * 11, "the first of the 30 was its owner's"
    assert sign_in(Client(), PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == 200, "not from a browser nobody knows"
    assert sign_in(Client(), PASSWORD, "iryna", REMOTE_ADDR="192.0.2.1").status_code == 302
    assert sign_in(client, PASSWORD).status_code == 302
    AccessAttempt.objects.all().delete()


def test_a_name_that_nobody_has_is_slowed_in_the_same_words() -> None:
    tries = [sign_in(Client(), "wrong", "nobody", REMOTE_ADDR=f"203.0.113.{n}") for n in range(31)]
    assert "Too many passwords were tried" in tries[-1].content.decode()
    assert "Too many passwords were tried" not in tries[-2].content.decode()


@pytest.mark.parametrize("how", ["another name", "forged", "new password"])
def test_a_known_browser_is_known_for_one_name_and_password(client: Client, how: str) -> None:
    marta, iryna = factories.staff(), factories.staff("iryna")
    sign_in(client, PASSWORD)
    client.post("/admin/logout/")
    cookie = client.cookies["desk_device"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/admin/")
    if how == "forged":
        client.cookies["desk_device"] = cookie.value[:-2] + "xx"
    if how == "new password":
        marta.set_password("another long pass phrase")
        marta.save()
    name = iryna.username if how == "another name" else marta.username
    for n in range(31):
        sign_in(Client(), "wrong", name, REMOTE_ADDR=f"203.0.113.{n}")
    assert "Too many passwords were tried" in sign_in(client, PASSWORD, name).content.decode()


def test_after_a_quarter_of_an_hour_it_opens_however_often_one_tried(client: Client) -> None:
    factories.staff()
    fail(client, 5)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=14))
    assert fail(client, 3) == [429] * 3
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=2))
    assert sign_in(client, PASSWORD).status_code == 302


def test_a_right_password_forgets_the_wrong_ones(client: Client) -> None:
    factories.staff()
    fail(client, 4)
    sign_in(client, PASSWORD)
    client.logout()
    assert fail(client, 4) == [200] * 4


def test_readers_and_former_staff_stay_outside(client: Client) -> None:
    factories.staff("petro", is_staff=False)
    factories.staff("nadia", is_active=False)
    assert sign_in(client, PASSWORD, "petro").status_code == 200
    assert sign_in(client, PASSWORD, "nadia").status_code == 200
    assert client.get("/admin/").status_code == 302


def test_the_desk_speaks_the_browsers_language(client: Client) -> None:
    page = client.get("/admin/login/", headers={"accept-language": "uk"}).content.decode()
    assert '<html lang="uk"' in page
    assert "Пароль" in page


def test_odd_names_are_answered_without_an_error(client: Client) -> None:
    for name in ("", "a" * 10_000, "\x00", "<b>", "мáрта"):
        assert sign_in(client, "wrong", name).status_code in (200, 429), name
    for header in ("HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_X_FORWARDED_FOR"):
        assert sign_in(client, "wrong", **{header: "x" * 5_000}).status_code in (200, 429), header

"""Signing in to the staff desk: after five wrong passwords it is refused for a quarter of an hour."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.db.models import F
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"


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

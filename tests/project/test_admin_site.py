"""The sections of the staff desk: lists are grouped, and staff see only what they may see."""

from __future__ import annotations

import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


def sections(client: Client) -> list[str]:
    return [str(section["name"]) for section in client.get("/admin/").context["available_apps"]]


def test_a_superuser_sees_every_room(client: Client) -> None:
    client.force_login(factories.staff(), backend=BACKEND)
    assert sections(client) == ["People", "Money", "Asking", "To look after", "Settings"]


def test_others_see_only_rooms_with_something_for_them(client: Client) -> None:
    client.force_login(factories.staff("petro", "payments.view_case", "members.view_supporter"), backend=BACKEND)
    assert sections(client) == ["People", "To look after"]


def test_somebody_without_any_right_is_told_so(client: Client) -> None:
    client.force_login(factories.staff("petro", is_superuser=False), backend=BACKEND)
    page = client.get("/admin/").content.decode()
    assert "nothing is opened for you yet" in page


def test_an_applications_own_page_leads_to_the_sections(client: Client) -> None:
    client.force_login(factories.staff(), backend=BACKEND)
    assert client.get("/admin/payments/")["Location"] == "/admin/"
    assert client.get("/admin/nonsense/").status_code == 404

"""A reader with a domain of another script is one person, in both spellings of it, and reads it as it was typed."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from members import api_keys
from members.models import Supporter
from tests.stage import Stage, link

pytestmark = pytest.mark.django_db


def test_a_domain_of_another_script_is_one_person_everywhere(stage: Stage, client: Client) -> None:
    for email in ("olena@пошта.укр", "olena@xn--80a1acn3a.xn--j1amh"):
        stage.join("once", amount="10", email=email)
    assert Supporter.objects.get().email == "olena@xn--80a1acn3a.xn--j1amh"
    stage.join("month", amount="10", email="olena@ПОШТА.укр")
    assert {mail["To"] for mail in stage.mails()} == {"olena@xn--80a1acn3a.xn--j1amh"}
    key = api_keys.create("site", api_keys.ENTITLEMENTS_READ)[1]
    for asked in ("olena@пошта.укр", "OLENA@XN--80A1ACN3A.XN--J1AMH", "olena@Пошта.УКР"):
        answer = client.post(
            "/api/v1/entitlements/lookup/",
            json.dumps({"email": asked}),
            "application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        assert (answer.status_code, answer.json()["active"]) == (200, True), asked


def test_the_return_page_shows_the_domain_as_it_was_typed(stage: Stage) -> None:
    checkout = stage.join("once", amount="10", email="olena@пошта.укр", name="\u3164")
    page = stage.client.get(link(checkout.stripe_params["success_url"], "/support/return/")).content.decode()
    assert "@пошта.укр" in page
    assert "Thank you. Your gift has arrived." in page
    assert stage.last_mail().startswith("Thank you.")

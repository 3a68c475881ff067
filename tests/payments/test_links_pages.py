"""The pages behind the links of letters: change card or bank, confirm with the bank."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from members import links
from payments.models import PortalConfiguration, PortalVisit, Subscription
from tests.stage import Stage, set_the_scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(settings, tmp_path: Path) -> Iterator[Stage]:
    yield from set_the_scene(settings, tmp_path, Client())


def method_page() -> str:
    return f"/method/{links.sign('method', str(Subscription.objects.get().public_id))}/"


def test_the_button_leads_to_stripe_s_page_and_a_get_changes_nothing(stage: Stage) -> None:
    stage.join("month", amount="10")
    page = stage.client.get(method_page())
    assert page.content.decode().count("<button") == 1
    assert PortalVisit.objects.count() == 0
    for _ in range(2):
        answer = stage.client.post(method_page())
        assert answer.status_code == 303
        assert answer["Location"].startswith(f"{stage.stripe.base_url}/portal/")
    assert PortalConfiguration.objects.count() == 1

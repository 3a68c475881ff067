"""What mail programs and people do to a link does not stand between a patron and us."""

from __future__ import annotations

import pytest

from payments.models import Subscription
from tests.stage import Stage, link

pytestmark = pytest.mark.django_db
AFTER = (",", ">", "%3E", ".", ")", "%22", "&gt;", "%C2%BB")


def test_every_link_of_a_letter_still_opens(stage: Stage) -> None:
    stage.join("month", amount="10")
    for path in ("/stop/", "/preferences/"):
        whole = link(stage.last_mail(), path)
        address, _, query = whole.partition("?")
        bare = address.rstrip("/")
        variants = [whole, address, bare, address.lower(), f"{bare[:60]}={bare[60:]}/", f"{whole}&utm_source=mail"]
        variants += [f"{address}{after}" for after in AFTER] + [f"{bare}{after}/?{query}" for after in AFTER]
        variants += [f"{whole}{after}" for after in AFTER]
        for variant in variants:
            answer = stage.client.get(variant, follow=True)
            assert answer.status_code == 200, variant


def test_a_button_behind_a_mangled_link_works(stage: Stage) -> None:
    stage.join("month", amount="10")
    address = link(stage.last_mail(), "/stop/").partition("?")[0]
    opened = stage.client.get(f"{address}%3E", follow=True)
    stage.client.post(opened.request["PATH_INFO"], {"do": "stop"})
    stage.settle_down()
    assert Subscription.objects.get().is_stopping

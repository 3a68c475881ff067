"""Who gives again through a link of ours stays the same customer at Stripe; who only types an address does not."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from members.links import signed
from payments.models import Checkout, Payment, Subscription
from payments.recurring import changes
from tests.journeys.test_changes_at_stripe import sdk
from tests.payments.reader_links import stop_page
from tests.stage import Stage, hidden_fields, link

pytestmark = pytest.mark.django_db


def stopped(stage: Stage) -> Subscription:
    """A monthly gift that has ended, and whose giver was told so with a button to begin again."""
    stage.join("month", amount="10")
    gift = Subscription.objects.get()
    changes.request_stop(gift, "mail")
    stage.sleep(35)
    gift.refresh_from_db()
    assert not gift.is_alive
    return gift


def offered(stage: Stage) -> dict[str, str]:
    """The choice in the link to begin again, of the newest email."""
    query = link(stage.last_mail(), "/support/details/").partition("?")[2]
    return dict(part.split("=", 1) for part in query.split("&"))


def customers(stage: Stage) -> int:
    return len(stage.stripe.world.store.all("customer"))


def test_the_link_of_a_letter_keeps_the_customer(stage: Stage) -> None:
    before = stopped(stage)
    again = stage.join(**offered(stage))
    assert again.stripe_params["customer"] == before.stripe_customer_id
    assert "customer_email" not in again.stripe_params
    assert customers(stage) == 1
    assert again.subscription.stripe_customer_id == before.stripe_customer_id
    stage.sleep(31)
    assert Payment.objects.filter(subscription=again.subscription, status="succeeded").count() == 2
    assert stage.books()["broken"] == []


def test_so_does_the_page_of_a_stopped_gift_by_way_of_another_amount(stage: Stage) -> None:
    stopped(stage)
    page = stage.client.get(stop_page()).content.decode()
    address = re.search(r'href="(/support/\?[^"]*again=[^"]*)"', page)
    assert address
    amounts = stage.client.get(html.unescape(address[1])).content.decode()
    stage.join("once", amount="25", again=hidden_fields(amounts)["again"])
    assert customers(stage) == 1


@pytest.mark.parametrize("how", ["typed", "friend", "forged", "late"])
def test_nobody_else_becomes_that_customer(stage: Stage, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped(stage)
    choice = offered(stage)
    if how == "typed":
        del choice["again"]
    if how == "forged":
        choice["again"] = choice["again"][:-3] + "abc"
    if how == "late":
        day = signed._today() + timedelta(days=61)
        monkeypatch.setattr(signed, "_today", lambda: day)
    email = "friend@example.org" if how == "friend" else "olena@example.org"
    again = stage.join(**choice, email=email)
    assert again.stripe_params["customer_email"] == email
    assert customers(stage) == 2


def test_another_currency_begins_as_another_customer(stage: Stage) -> None:
    """Stripe refuses a second currency among the recurring gifts of a customer; a gift once may have any."""
    gift = stopped(stage)
    choice = offered(stage)
    stage.join(**choice | {"currency": "USD", "frequency": "once"})
    assert customers(stage) == 1
    stage.join(**choice | {"currency": "USD"})
    assert customers(stage) == 2
    assert gift.currency == "EUR"


@pytest.mark.parametrize("frequency", ["month", "once"])
def test_a_customer_that_was_deleted_at_stripe_does_not_stand_in_the_way(stage: Stage, frequency: str) -> None:
    gift = stopped(stage)
    choice = offered(stage)
    sdk(stage).v1.customers.delete(gift.stripe_customer_id, options={"idempotency_key": "dashboard"})
    again = stage.join(**choice | {"frequency": frequency})
    assert again.status == Checkout.Status.COMPLETE
    assert again.attempt == 2
    assert Payment.objects.filter(checkout=again, status="succeeded").exists()

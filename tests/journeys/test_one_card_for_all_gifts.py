"""A reader with several recurring gifts uses one card for all of them, or changes each on its own page at Stripe."""

from __future__ import annotations

from members.links import signed
from payments.models import MethodChange, Subscription
from tests.journeys.test_another_card import charged
from tests.payments.reader_links import FAILS, GOOD, state_of
from tests.stage import Stage
from tests.stripe_simulator.test_pages import browse


def two_gifts(stage: Stage, *, one_customer: bool) -> tuple[Subscription, Subscription]:
    """Two monthly gifts of one person; with `one_customer`, of one customer at Stripe too."""
    stage.join("month", amount="10")
    stage.join("month", amount="20", card=FAILS)
    first, second = Subscription.objects.order_by("pk")
    if one_customer:
        world = stage.stripe.world
        with world.transaction():
            world.update(world.get("subscription", second.stripe_subscription_id), customer=first.stripe_customer_id)
        Subscription.objects.filter(pk=second.pk).update(stripe_customer_id=first.stripe_customer_id)
    return first, second


def visit(stage: Stage, gift: Subscription, purpose: str = "method") -> str:
    """Change this gift's card; the address of the way back."""
    page = f"/method/{signed.sign(purpose, str(gift.public_id))}/"
    back = browse(stage.client.post(page)["Location"], action="method", card_number=GOOD).location or ""
    stage.settle_down()
    return back.removeprefix("http://testserver")


def test_one_press_uses_it_for_all_gifts_of_the_customer(stage: Stage) -> None:
    first, second = two_gifts(stage, one_customer=True)
    back = visit(stage, first)
    second.refresh_from_db()
    assert second.method == "Visa 0341", "only the gift of the visit"
    assert "Use it for all my gifts" in stage.client.get(back).content.decode()
    for _ in range(2):
        answer = stage.client.post(back.split("?")[0], {"do": "share"})
        assert answer.status_code == 303
    assert MethodChange.objects.filter(subscription=second).count() == 1
    stage.settle_down()
    page = stage.client.get(answer["Location"]).content.decode()
    assert "take your other regular gifts this way too" in page
    second.refresh_from_db()
    assert second.method == "Mastercard 4444"
    assert "Use it for all my gifts" not in stage.client.get(back).content.decode()
    stage.sleep(33)
    assert charged(stage)[-2:] == ["4444", "4444"]


def test_a_gift_of_another_customer_has_its_own_page_in_one_press(stage: Stage) -> None:
    first, second = two_gifts(stage, one_customer=False)
    back = visit(stage, first)
    page = stage.client.get(back).content.decode()
    assert "Use it for all my gifts" not in page
    assert "€20" in page
    answer = stage.client.post(back.split("?")[0], {"gift": str(second.public_id)})
    way_back = browse(answer["Location"], action="method", card_number=GOOD).location or ""
    stage.settle_down()
    second.refresh_from_db()
    assert second.method == "Mastercard 4444"
    assert state_of(stage.client.get(way_back.removeprefix("http://testserver")).content) == "changed"


def test_who_came_by_the_stop_page_is_shown_no_other_gift(stage: Stage) -> None:
    """The stop page is also linked from the page after paying, where the address was only typed."""
    first, second = two_gifts(stage, one_customer=False)
    stop = stage.client.get(f"/stop/{signed.sign('stop', str(first.public_id))}/").content.decode()
    assert signed.sign("method", str(first.public_id)) not in stop
    back = visit(stage, first, "card")
    page = stage.client.get(back).content.decode()
    assert state_of(page.encode()) == "changed"
    assert "€20" not in page
    stage.client.post(back.split("?")[0], {"gift": str(second.public_id)})
    made = [each for each in stage.stripe.requests if each.path == "/v1/billing_portal/sessions"]
    assert {each.params["customer"] for each in made} == {first.stripe_customer_id}

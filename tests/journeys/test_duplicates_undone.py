"""A duplicate of which one gift was undone elsewhere, by its giver or at Stripe: the other one is left alone."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from payments.models import Case, Payment, RefundRequest, Subscription
from payments.recurring import changes
from tests import factories
from tests.journeys.test_duplicates import act, at_desk, confirming, page_of, two_gifts, two_subscriptions
from tests.stage import Stage


@pytest.fixture
def desk(db: None) -> Client:
    return at_desk(factories.staff())


def test_the_only_subscription_that_is_left_is_not_offered_to_be_stopped(stage: Stage, desk: Client) -> None:
    case = two_subscriptions(stage)
    first, second = Subscription.objects.order_by("pk")
    _page, sent = confirming(desk, case, "stop-one", first.pk)
    changes.request_stop(second, "reader")
    stage.settle_down()
    page = desk.get(page_of(case)).content.decode()
    assert act(case, "stop-one") not in page
    assert "One of them is stopped already, so none is stopped here." in page
    assert "Nothing was done" in desk.post(act(case, "stop-one"), sent, follow=True).content.decode()
    assert not first.changes.exists()
    desk.post(act(case, "settle"), {"note": "They chose."})
    assert "stopped already" not in desk.get(page_of(case)).content.decode()


def test_the_only_gift_that_is_left_is_not_offered_to_go_back(stage: Stage, desk: Client) -> None:
    case = two_gifts(stage)
    first, second = Payment.objects.order_by("pk")
    stage.stripe.refund(first.stripe_payment_intent_id, 500)
    stage.settle_down()
    assert act(case, "refund-one") in desk.get(page_of(case)).content.decode(), "a part went back"
    _page, sent = confirming(desk, case, "refund-one", second.pk)
    stage.stripe.refund(first.stripe_payment_intent_id)
    stage.settle_down()
    page = desk.get(page_of(case)).content.decode()
    assert act(case, "refund-one") not in page
    assert "One of them went back already, so none is sent back here." in page
    assert "Nothing was done" in desk.post(act(case, "refund-one"), sent, follow=True).content.decode()
    assert not RefundRequest.objects.exists()


def test_of_three_gifts_one_that_went_back_leaves_the_choice(stage: Stage, desk: Client) -> None:
    two_gifts(stage)
    stage.join("once", amount="25", form_key="a third tab")
    case, first = Case.objects.latest("pk"), Payment.objects.earliest("pk")
    stage.stripe.refund(first.stripe_payment_intent_id)
    stage.settle_down()
    page = desk.get(act(case, "refund-one")).content.decode()
    offered = set(map(int, re.findall(r'name="which" value="(\d+)"', page)))
    assert offered == set(case.facts["payments"]) - {first.pk}
    assert len(offered) == 2

"""Stripe's own pages: their language, the ways to pay that they offer, and no other currency."""

from __future__ import annotations

from typing import Any

import pytest

from payments.giving import stripe_pages
from payments.models import PortalConfiguration
from tests.payments.reader_links import method_page
from tests.stage import Stage

pytestmark = pytest.mark.django_db


def made(stage: Stage, path: str) -> list[dict[str, Any]]:
    return [each.params for each in stage.stripe.requests if each.path == path and each.method == "POST"]


@pytest.mark.parametrize(
    ("language", "shown"), [("uk", "en"), ("en", "en"), ("de", "de"), ("pt-BR", "pt-BR"), ("be", "en"), ("", "en")]
)
def test_stripe_s_pages_never_follow_the_browser(language: str, shown: str) -> None:
    assert stripe_pages.locale(language) == shown


def test_a_newsroom_may_name_another_language(settings: Any) -> None:
    settings.STRIPE_LOCALES = {"uk": "pl", "en": "en-GB"}
    assert (stripe_pages.locale("uk"), stripe_pages.locale("en")) == ("pl", "en-GB")


def test_a_ukrainian_reader_finds_a_named_language_on_both_pages(stage: Stage) -> None:
    stage.join("month", amount="10", lang="uk")
    stage.client.post(f"{method_page()}?lang=uk")
    [session] = made(stage, "/v1/checkout/sessions")
    [portal] = made(stage, "/v1/billing_portal/sessions")
    assert (session["locale"], portal["locale"]) == ("en", "en")


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_a_session_keeps_to_what_the_reader_agreed_to(stage: Stage, settings: Any, frequency: str) -> None:
    settings.CHECKOUT_PAYMENT_METHODS = ["card"]
    checkout = stage.give(frequency)
    session = stage.stripe.get(checkout.stripe_session_id)
    assert session["adaptive_pricing"] == {"enabled": False}
    assert session["payment_method_types"] == ["card"]


def test_by_default_cards_link_and_debits_in_euros(stage: Stage) -> None:
    stage.stripe.world.policy.methods = ("card", "link", "sepa_debit", "multibanco", "klarna")
    euros, dollars = stage.give("once"), stage.give("once", currency="USD")
    assert stage.stripe.get(euros.stripe_session_id)["payment_method_types"] == ["card", "sepa_debit"]
    assert stage.stripe.get(dollars.stripe_session_id)["payment_method_types"] == ["card"]


def test_another_set_of_ways_makes_another_portal(stage: Stage, settings: Any) -> None:
    stage.join("month", amount="10")
    for ways in ("", "pmc_default", "pmc_default", ""):
        settings.PORTAL_PAYMENT_METHODS = ways
        assert stage.client.post(method_page()).status_code == 303
    features = [each["features"]["payment_method_update"] for each in made(stage, "/v1/billing_portal/configurations")]
    assert [each.get("payment_method_configuration") for each in features] == [None, "pmc_default"]
    assert PortalConfiguration.objects.filter(state="accepted").count() == 2


def test_a_set_of_ways_that_stripe_does_not_know_is_said(stage: Stage, settings: Any) -> None:
    stage.join("month", amount="10")
    settings.PORTAL_PAYMENT_METHODS = "pmc_elsewhere"
    assert stage.client.post(method_page()).status_code == 502

"""Lookups in the address of a list: only those of its filters are allowed, and invalid ones cause no error."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from members.admin.plain import PlainAdmin
from members.links import signed
from members.models import ApiKey
from payments.alerts.rules import RULES
from tests import factories

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
EVENTS = "/admin/payments/stripeevent/"
KEYS = "/admin/members/apikey/"
MESSAGES = "/admin/members/message/"


def at_desk(client: Client, *permissions: str) -> Client:
    """Return the client of a superuser, or of a user with only these rights. Errors are answered with 500."""
    client.force_login(factories.staff("viewer", *permissions), backend=BACKEND)
    client.raise_request_exception = False
    return client


def rows_found(client: Client, address: str) -> int | None:
    """Return how many rows a list shows; None if it refuses the lookup."""
    answer = client.get(address)
    assert answer.status_code in (200, 302), address
    return answer.context["cl"].result_count if answer.status_code == 200 else None


@pytest.mark.parametrize("lookup", ["contains", "icontains", "regex", "startswith", "gt"])
def test_a_hidden_address_in_a_payload_cannot_be_guessed(client: Client, lookup: str) -> None:
    body = json.dumps({"data": {"object": {"id": "ch_1", "email": "olena@example.org"}}}).encode()
    factories.event("processed", payload=body)
    viewer = at_desk(client, "payments.view_stripeevent")
    assert rows_found(viewer, EVENTS) == 1
    assert rows_found(viewer, f"{EVENTS}?payload__{lookup}={b'olena@'.hex()}") is None


def test_the_key_of_a_readers_link_cannot_be_guessed_letter_by_letter(client: Client) -> None:
    agreed = factories.subscription()
    token = signed.sign("stop", str(agreed.public_id))
    factories.message(agreed.supporter, body_text=f"To stop: http://testserver/stop/{token}/\n")
    viewer = at_desk(client, "members.view_message")
    assert rows_found(viewer, MESSAGES) == 1
    assert rows_found(viewer, f"{MESSAGES}?body_text__contains=/stop/{token[:40]}") is None
    assert rows_found(viewer, f"{MESSAGES}?supporter__name__startswith=O") is None


def test_the_hash_of_a_key_cannot_be_guessed(client: Client) -> None:
    ApiKey.objects.create(name="shop", scope="entitlements", hashed_key="ab" * 32)
    viewer = at_desk(client, "members.view_apikey")
    assert rows_found(viewer, KEYS) == 1
    assert rows_found(viewer, f"{KEYS}?hashed_key__startswith=abab") is None


def test_what_the_filters_ask_is_answered(client: Client) -> None:
    desk, campaign = at_desk(client), factories.campaign()
    for _ in range(2):
        factories.payment(campaign=campaign)
    factories.payment(status="failed")
    payments = "/admin/payments/payment/"
    assert rows_found(desk, f"{payments}?campaign__id__exact={campaign.pk}&status__exact=succeeded") == 2
    assert rows_found(desk, f"{payments}?campaign__isnull=True") == 1
    day = "created_at__gte=2020-01-01+00:00:00%2B00:00&created_at__lt=2020-01-02+00:00:00%2B00:00"
    assert rows_found(desk, f"{payments}?{day}") == 0
    assert rows_found(desk, f"{payments}?status__exact=failed&status__exact=succeeded") == 3


RUBBISH = [
    "status__exact=%00&status__exact=succeeded",
    "amount__gt=9999999999999999999999",
    "created_at__year=0",
    "stripe_charge_id__regex=(",
    "campaign__id__exact=99999999999999999999",
    "supporter__email=x",
    "currency=%00&currency=EUR",
    "created_at__gte=9999-12-31T23:59:59-14:00",
    "status__isnull=maybe",
]
MODELS = ["payment", "refund", "ledgerentry", "payout", "difference", "case", "subscription", "dispute", "checkout"]


@pytest.mark.parametrize("query", RUBBISH)
def test_rubbish_in_the_address_of_a_list_is_no_error(client: Client, query: str) -> None:
    desk = at_desk(client)
    for model in MODELS:
        assert desk.get(f"/admin/payments/{model}/?{query}").status_code in (200, 302), model


ABOUT_EVENTS = [
    "state=%00",
    "state=%00&state=dead",
    "payload=x",
    "id__in=%00",
    "id__in=a,%00",
    "type__regex=(",
    "type__iregex=[",
    "received_at__year=0",
    "received_at__year=99999999999",
    "is_sync__exact=x",
    "attempts__in=1,x",
]


@pytest.mark.parametrize("query", ABOUT_EVENTS)
@pytest.mark.parametrize("place", ["", "work-again/"])
def test_rubbish_about_events_is_no_error_and_works_none(client: Client, place: str, query: str) -> None:
    row, desk = factories.event("dead"), at_desk(client)
    assert desk.get(f"{EVENTS}{place}?{query}").status_code in (200, 302)
    row.refresh_from_db()
    assert row.state == "dead"


@pytest.mark.parametrize("ticked", ["\x00", "x", "9" * 40, ""])
def test_rubbish_that_was_ticked_is_no_error(client: Client, ticked: str) -> None:
    desk = at_desk(client)
    actions = {"payments/stripeevent": "retry_chosen", "payments/difference": "take_chosen"}
    for model, action in {**actions, "members/apikey": "revoke_chosen"}.items():
        sent = {"action": action, "_selected_action": ticked, "confirmed": "yes"}
        assert desk.post(f"/admin/{model}/", sent).status_code in (200, 302), model


def test_what_the_links_of_django_s_own_filters_ask_is_answered(client: Client) -> None:
    desk, asked = at_desk(client), 0
    factories.payment(campaign=factories.campaign())
    for model, page in admin.site._registry.items():
        if not isinstance(page, PlainAdmin):
            continue
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for link in set(re.findall(r'<a href="(\?[^"]*__[^"]*)"', desk.get(address).content.decode())):
            asked += 1
            assert rows_found(desk, address + unescape(link)) is not None, address + link
    assert asked > 50


def test_what_the_links_of_alerts_ask_is_answered(client: Client) -> None:
    desk = at_desk(client)
    asking = [rule.desk for rule in RULES if "?" in rule.desk]
    assert len(asking) > 5
    for address in asking:
        assert rows_found(desk, address) is not None, address

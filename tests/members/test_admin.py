"""Levels, memberships and API keys at the staff desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from members import api_keys, clock
from members.models import ApiKey, Level, Membership
from tests import colleagues, factories

pytestmark = pytest.mark.django_db

LEVELS, MEMBERSHIPS, KEYS = "/admin/members/level/", "/admin/members/membership/", "/admin/members/apikey/"


def level_form(**amount: Any) -> dict[str, Any]:
    return {
        "slug": "friend",
        "rank": 2,
        "grace_days": 14,
        "names-TOTAL_FORMS": 1,
        "names-INITIAL_FORMS": 0,
        "names-0-language": "en",
        "names-0-name": "Friend",
        "amounts-TOTAL_FORMS": 1,
        "amounts-INITIAL_FORMS": 0,
        "amounts-0-currency": "EUR",
        **{f"amounts-0-{key}": value for key, value in amount.items()},
    }


class TestLevels:
    @pytest.mark.parametrize(("currency", "typed", "minor"), [("EUR", "10.50", 1050), ("JPY", "1500", 1500)])
    def test_amounts_are_typed_as_people_say_them(
        self, admin_client: Client, currency: str, typed: str, minor: int
    ) -> None:
        answer = admin_client.post(f"{LEVELS}add/", level_form(currency=currency, from_amount=typed))
        assert answer.status_code == 302
        made = Level.objects.get(slug="friend")
        assert made.amounts.get().monthly_amount == minor
        assert f'value="{typed}"' in admin_client.get(f"{LEVELS}{made.pk}/change/").content.decode()

    @pytest.mark.parametrize(
        ("currency", "typed", "sentence"),
        [
            ("JPY", "10.5", "JPY is not written with that many decimals."),
            ("EUR", "10.505", "EUR is not written with that many decimals."),
            ("EUR", "0", "greater than or equal to 0.01"),
            ("EUR", "NaN", "Enter a number."),
            ("EUR", "", "This field is required."),
        ],
    )
    def test_an_amount_that_cannot_be_is_said(
        self, admin_client: Client, currency: str, typed: str, sentence: str
    ) -> None:
        answer = admin_client.post(f"{LEVELS}add/", level_form(currency=currency, from_amount=typed))
        assert sentence in answer.content.decode()
        assert not Level.objects.filter(slug="friend").exists()

    def test_the_list_says_what_earns_each(self, admin_client: Client) -> None:
        factories.level("friend", rank=2, amounts={"EUR": 1000, "JPY": 1500})
        page = admin_client.get(LEVELS).content.decode()
        assert "€10, ¥1,500" in page
        assert "any amount" in page

    def test_one_that_somebody_has_is_not_deleted(self, admin_client: Client) -> None:
        made = factories.level("friend", rank=2)
        factories.membership(level=made)
        admin_client.post(f"{LEVELS}{made.pk}/delete/", {"post": "yes"})
        assert Level.objects.filter(slug="friend").exists()


class TestMemberships:
    @pytest.fixture
    def patron(self) -> Membership:
        who = factories.supporter(email="olena@example.org")
        return factories.membership(who, paid_through=clock.today() + timedelta(days=3))

    def test_nobody_writes_them_by_hand(self, admin_client: Client, patron: Membership) -> None:
        assert admin_client.get(f"{MEMBERSHIPS}add/").status_code == 403
        assert admin_client.post(f"{MEMBERSHIPS}{patron.pk}/change/", {}).status_code == 403
        assert admin_client.post(f"{MEMBERSHIPS}{patron.pk}/delete/", {"post": "yes"}).status_code == 403
        assert admin_client.get(f"{MEMBERSHIPS}{patron.pk}/change/").status_code == 200

    def test_they_are_found_by_state_level_and_address(self, admin_client: Client, patron: Membership) -> None:
        factories.membership(paid_through=clock.today() - timedelta(days=3))
        for query, found in [
            ("", 2),
            ("state=active", 1),
            ("state=grace", 1),
            ("state=ended", 0),
            ("state=nonsense", 2),
            ("level=patron", 2),
            ("level=friend", 0),
        ]:
            page = admin_client.get(f"{MEMBERSHIPS}?{query}")
            assert page.context["cl"].result_count == found, query
        for term, found in (("olena", 1), ("nobody", 0)):
            assert colleagues.search(admin_client, MEMBERSHIPS, term).context["cl"].result_count == found, term

    def test_the_list_takes_the_same_queries_however_long(
        self, admin_client: Client, patron: Membership, django_assert_max_num_queries
    ) -> None:
        for _ in range(8):
            factories.membership(paid_through=clock.today())
        with django_assert_max_num_queries(10):
            admin_client.get(MEMBERSHIPS)


class TestKeys:
    def revoke(self, client: Client, key: ApiKey, **values: str) -> Any:
        return client.post(KEYS, {"action": "revoke_chosen", "_selected_action": [key.pk], **values}, follow=True)

    def test_a_key_is_revoked_after_a_question(self, admin_client: Client) -> None:
        key, text = api_keys.create("website", api_keys.ENTITLEMENTS_READ)
        question = self.revoke(admin_client, key).content.decode()
        assert "Revoke 1 key?" in question
        assert "website" in question
        assert api_keys.find(text) == key
        colleagues.confirm(admin_client, seconds_ago=601)
        asked = self.revoke(admin_client, key, confirmed="yes").content.decode()
        assert "Your password" in asked
        assert f'name="_selected_action" value="{key.pk}"' in asked
        assert ApiKey.objects.get().revoked_at is None
        again = self.revoke(admin_client, key, confirmed="yes", step_up="password").content.decode()
        assert "1 key was revoked." in again
        assert api_keys.find(text) is None
        assert LogEntry.objects.get().object_id == str(key.pk)

    def test_looking_does_not_allow_revoking(self, client: Client) -> None:
        key, text = api_keys.create("website", api_keys.ENTITLEMENTS_READ)
        client.force_login(factories.staff("reader", "members.view_apikey"))
        self.revoke(client, key, confirmed="yes")
        assert api_keys.find(text) == key

    def test_no_page_makes_or_shows_a_key(self, admin_client: Client) -> None:
        key, text = api_keys.create("website", api_keys.ENTITLEMENTS_READ)
        assert admin_client.get(f"{KEYS}add/").status_code == 403
        for path in (KEYS, f"{KEYS}{key.pk}/change/"):
            page = admin_client.get(path).content.decode()
            assert "website" in page
            assert text not in page
            assert key.hashed_key not in page


@pytest.mark.parametrize("path", [f"{LEVELS}?q=%00", f"{MEMBERSHIPS}?state=%00", f"{KEYS}%00/change/"])
def test_a_mangled_address_is_no_error(admin_client: Client, path: str) -> None:
    assert admin_client.get(path).status_code == 302

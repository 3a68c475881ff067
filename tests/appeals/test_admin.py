"""Campaigns and appeals at the staff desk: what staff can save, and the errors they see otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from appeals.models import Appeal, AppealAmounts, Campaign
from tests import factories

pytestmark = pytest.mark.django_db

CAMPAIGNS, APPEALS = "/admin/appeals/campaign/", "/admin/appeals/appeal/"


def inline(prefix: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    management = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
    return management | {
        f"{prefix}-{number}-{key}": value for number, row in enumerate(rows) for key, value in row.items()
    }


def campaign_form(**values: Any) -> dict[str, Any]:
    ordinary = {
        "title": "Autumn",
        "slug": "autumn",
        "is_active": "on",
        "starts_on": "2026-09-01",
        "ends_on": "",
        "goal_kind": "patrons",
        "goal": 500,
        "goal_currency": "",
        "starting_value": 0,
        "show_from_percent": 50,
    }
    return {**ordinary, **inline("appeals", []), **values}


def appeal_form(to: Campaign, words: dict[str, Any] | None = None, amounts: list[dict[str, Any]] | None = None) -> Any:
    ordinary = {
        "language": "en",
        "headline": "Join us",
        "body": "One.",
        "button": "Become a patron",
        "other_ways": "Other ways",
        "goal_line": "",
    }
    inlines = inline("words", [{**ordinary, **(words or {})}]) | inline("amounts", amounts or [])
    return {"campaign": to.pk, "slug": "article-end", "is_active": "on", **inlines}


def problems(answer: Any) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


class TestCampaign:
    def test_a_campaign_is_made_and_its_addresses_can_be_copied(self, admin_client: Client, settings) -> None:
        settings.SITE_URL = "https://support.example.org"
        form = campaign_form() | inline("appeals", [{"slug": "article-end", "is_active": "on"}])
        assert admin_client.post(f"{CAMPAIGNS}add/", form).status_code == 302
        made = Campaign.objects.get()
        assert made.appeals.get().slug == "article-end"
        page = admin_client.get(f"{CAMPAIGNS}{made.pk}/change/").content.decode()
        assert "<code>https://support.example.org/api/v1/appeals/autumn/</code>" in page
        assert "<code>https://support.example.org/support/?campaign=autumn</code>" in page

    def test_the_list_says_how_far_each_has_come(self, admin_client: Client) -> None:
        factories.campaign("autumn")
        factories.campaign("fund", goal_kind="money", goal=2000000, goal_currency="EUR")
        Campaign.objects.update(progress=312)
        page = admin_client.get(CAMPAIGNS).content.decode()
        assert "312 of 500 new patrons" in page
        assert "€3.12 of €20,000" in page
        assert "running" in page

    def test_a_changed_goal_stays_in_the_history(self, admin_client: Client) -> None:
        made = factories.campaign(starts_on="2026-09-01")
        form = campaign_form(goal=600)
        assert admin_client.post(f"{CAMPAIGNS}{made.pk}/change/", form).status_code == 302
        assert "Goal" in LogEntry.objects.get().get_change_message()

    def test_its_name_in_addresses_stays(self, admin_client: Client) -> None:
        made = factories.campaign("autumn", starts_on="2026-09-01")
        admin_client.post(f"{CAMPAIGNS}{made.pk}/change/", campaign_form(slug="winter"))
        assert Campaign.objects.get().slug == "autumn"

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"ends_on": "2026-08-31"}, "The last day is before the first."),
            ({"goal_kind": "money"}, "A goal of money needs its currency."),
            ({"goal": 0}, "A goal is above zero."),
            ({"goal": "1.5"}, "Fewer decimals"),
            ({"goal_kind": "money", "goal_currency": "JPY", "goal": "1.5"}, "Fewer decimals"),
            ({"goal": "-1"}, "greater than or equal to 0"),
            ({"show_from_percent": 101}, "Choose a share between 0 and 100."),
        ],
    )
    def test_what_cannot_be_so_is_said(self, admin_client: Client, values: dict[str, Any], sentence: str) -> None:
        assert sentence in problems(admin_client.post(f"{CAMPAIGNS}add/", campaign_form(**values)))
        assert not Campaign.objects.exists()

    def test_a_goal_of_people_forgets_its_currency(self, admin_client: Client) -> None:
        admin_client.post(f"{CAMPAIGNS}add/", campaign_form(goal_currency="EUR"))
        assert Campaign.objects.get().goal_currency == ""

    def test_a_goal_of_money_is_typed_as_people_say_it(self, admin_client: Client) -> None:
        form = campaign_form(goal_kind="money", goal="20000", goal_currency="EUR", starting_value="1250.50")
        admin_client.post(f"{CAMPAIGNS}add/", form)
        made = Campaign.objects.get()
        assert (made.goal, made.starting_value) == (2000000, 125050)
        page = admin_client.get(f"{CAMPAIGNS}{made.pk}/change/").content.decode()
        assert 'value="20000.00"' in page
        assert 'value="1250.50"' in page
        again = form | {"goal": "20000.00", "initial-starts_on": form["starts_on"]}
        admin_client.post(f"{CAMPAIGNS}{made.pk}/change/", again)
        assert LogEntry.objects.latest("pk").get_change_message() == "No fields changed."

    def test_one_that_gifts_name_is_not_deleted(self, admin_client: Client) -> None:
        made = factories.campaign()
        factories.payment(campaign=made)
        admin_client.post(f"{CAMPAIGNS}{made.pk}/delete/", {"post": "yes"})
        assert Campaign.objects.exists()


class TestAppeal:
    @pytest.fixture
    def autumn(self) -> Campaign:
        return factories.campaign()

    def test_words_and_amounts_are_written_in_one_place(self, admin_client: Client, autumn: Campaign) -> None:
        form = appeal_form(autumn, amounts=[{"currency": "EUR", "monthly": "5, 10,20", "chosen": 10}])
        assert admin_client.post(f"{APPEALS}add/", form).status_code == 302
        assert AppealAmounts.objects.get().monthly == [5, 10, 20]
        made = Appeal.objects.get()
        assert 'value="5, 10, 20"' in admin_client.get(f"{APPEALS}{made.pk}/change/").content.decode()
        assert made.words.get().headline == "Join us"
        assert "English" in admin_client.get(APPEALS).content.decode()

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ({"body": "word " * 91}, "These are 91 words."),
            ({"body": "a\r\n\r\nb\r\n\r\nc\r\n\r\nd\r\n\r\ne"}, "Four paragraphs at most."),
            ({"goal_line": "{reached} of {target}"}, "{target} cannot"),
            ({"goal_line": "{reached} of {goal"}, "{goal cannot"),
            ({"goal_line": "Only {goal}"}, "Say both numbers"),
            ({"headline": "x" * 71}, "at most 70 characters"),
        ],
    )
    def test_words_that_do_not_fit_are_said(
        self, admin_client: Client, autumn: Campaign, words: dict[str, Any], sentence: str
    ) -> None:
        assert sentence in problems(admin_client.post(f"{APPEALS}add/", appeal_form(autumn, words)))

    @pytest.mark.parametrize(
        ("amounts", "sentence"),
        [
            ({"monthly": "5", "chosen": 5}, "Give two to four whole amounts"),
            ({"monthly": "1,2,3,4,5", "chosen": 5}, "Give two to four whole amounts"),
            ({"monthly": "10,5", "chosen": 5}, "ascending order"),
            ({"monthly": "5,5", "chosen": 5}, "ascending order"),
            ({"monthly": "5,10", "chosen": 7}, "Choose one of the amounts"),
            ({"monthly": "0,10", "chosen": 10}, "amounts above zero"),
            ({"monthly": "5,9999999999", "chosen": 5}, "Give two to four whole amounts"),
            ({"monthly": "a,b", "chosen": 5}, "Give two to four whole amounts"),
        ],
    )
    def test_amounts_that_cannot_be_are_said(
        self, admin_client: Client, autumn: Campaign, amounts: dict[str, Any], sentence: str
    ) -> None:
        form = appeal_form(autumn, amounts=[{"currency": "EUR", **amounts}])
        assert sentence in problems(admin_client.post(f"{APPEALS}add/", form))
        assert not AppealAmounts.objects.exists()


@pytest.mark.parametrize("path", [f"{CAMPAIGNS}?q=%00", f"{APPEALS}?is_active__exact=%00", f"{CAMPAIGNS}%00/change/"])
def test_a_mangled_address_is_no_error(admin_client: Client, path: str) -> None:
    assert admin_client.get(path).status_code == 302

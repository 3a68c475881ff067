"""The campaign that is shown, its progress, and the words and amounts of its block."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from appeals import campaigns
from appeals.demo import make_demo_campaign
from appeals.models import Appeal, AppealAmounts, AppealWords, Campaign
from members import clock
from tests import factories

pytestmark = pytest.mark.django_db


class TestWhichOneAsks:
    def test_of_running_ones_with_an_appeal_the_one_begun_last(self) -> None:
        factories.campaign_with_appeal("spring", starts_on=date(2021, 3, 1))
        autumn = factories.campaign_with_appeal("autumn", starts_on=date(2021, 9, 1))
        factories.campaign("mute", starts_on=date(2022, 1, 1))
        factories.campaign_with_appeal("off", starts_on=date(2022, 1, 1), is_active=False)
        factories.campaign_with_appeal("over", starts_on=date(2022, 1, 1), ends_on=date(2022, 2, 1))
        factories.campaign_with_appeal("later", starts_on=clock.today() + timedelta(days=1))
        assert campaigns.default() == autumn

    def test_an_appeal_that_is_switched_off_asks_nothing(self) -> None:
        factories.campaign_with_appeal()
        Appeal.objects.update(is_active=False)
        assert campaigns.default() is None

    def test_the_last_day_still_counts(self) -> None:
        today = factories.campaign_with_appeal(ends_on=clock.today())
        assert campaigns.running_or_default(today) == today

    def test_after_the_end_the_one_that_asks_now(self) -> None:
        over = factories.campaign_with_appeal("over", ends_on=date(2022, 2, 1))
        assert campaigns.running_or_default(over) is None
        now = factories.campaign_with_appeal("now")
        assert campaigns.running_or_default(over) == now

    @pytest.mark.parametrize("slug", ["autumn\x00", "../autumn", "", "осінь"])
    def test_a_name_that_cannot_be_one_is_not_looked_for(self, slug: str, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            assert campaigns.find(slug) is None


class TestProgress:
    def test_an_older_count_never_replaces_a_newer(self) -> None:
        made = factories.campaign()
        now = timezone.now()
        campaigns.record_progress(made.pk, 12, now)
        campaigns.record_progress(made.pk, 11, now - timedelta(minutes=1))
        campaigns.record_progress(made.pk, 12, now)
        made.refresh_from_db()
        assert (made.progress, made.progress_at) == (12, now)

    @pytest.mark.parametrize(
        ("progress", "sentence", "percent"),
        [
            (249, "The goal: 500 new patrons", None),
            (250, "250 of 500 new patrons this autumn", 50),
            (499, "499 of 500 new patrons this autumn", 99),
            (500, "The goal is reached: 500 new patrons. Thank you.", 100),
            (731, "The goal is reached: 500 new patrons. Thank you.", 100),
        ],
    )
    def test_what_is_said_of_it(self, progress: int, sentence: str, percent: int | None) -> None:
        factories.campaign_with_appeal()
        Campaign.objects.update(progress=progress)
        found = campaigns.block(campaigns.default(), "en").progress
        assert (found.sentence, found.percent) == (sentence, percent)
        assert found.shows_bar is (percent is not None)

    @pytest.mark.parametrize(
        ("kind", "currency", "goal", "progress", "sentence"),
        [
            ("patrons", "", 1500, 1234, "1,234 of 1,500 new patrons"),
            ("gifts", "", 1, 0, "0 of 1 gift"),
            ("money", "EUR", 2000000, 1050050, "€10,500.50 of €20,000"),
            ("money", "JPY", 20000, 10000, "¥10,000 of ¥20,000"),
        ],
    )
    def test_every_kind_of_goal_has_words(
        self, kind: str, currency: str, goal: int, progress: int, sentence: str
    ) -> None:
        made = factories.campaign(goal_kind=kind, goal=goal, goal_currency=currency, show_from_percent=0)
        factories.appeal(made, goal_line="")
        Campaign.objects.update(progress=progress)
        assert campaigns.block(campaigns.default(), "en").progress.sentence == sentence

    def test_without_a_goal_nothing_is_said(self) -> None:
        factories.campaign_with_appeal(goal=None)
        assert campaigns.block(campaigns.default(), "en").progress is None

    def test_a_time_today_and_a_day_later(self) -> None:
        factories.campaign_with_appeal(show_from_percent=0)
        noon = timezone.localtime().replace(hour=12, minute=5)
        Campaign.objects.update(progress_at=noon)
        assert campaigns.block(campaigns.default(), "en").progress.updated == "Updated at 12:05"
        Campaign.objects.update(progress_at=datetime(2024, 2, 29, 12, tzinfo=timezone.get_current_timezone()))
        assert campaigns.block(campaigns.default(), "en").progress.updated == "Updated on 29 February 2024"


class TestWords:
    def test_the_language_asked_for_then_the_sites_own_then_any(self, settings) -> None:
        made = factories.campaign()
        factories.appeal(made, languages=("en", "uk"))
        assert campaigns.block(made, "uk").words.headline == "Join us (uk)"
        assert campaigns.block(made, "de").language == "en"
        AppealWords.objects.filter(language="en").delete()
        assert campaigns.block(made, "en").language == "uk"

    def test_an_appeal_without_words_gives_way_to_one_with(self) -> None:
        made = factories.campaign()
        factories.appeal(made, slug="a", languages=())
        factories.appeal(made, slug="b")
        assert campaigns.block(made, "en").appeal == "b"

    def test_the_marked_sentence_is_marked_where_it_stands(self) -> None:
        made = factories.campaign()
        factories.appeal(made, body="One. Two.\nThree.\r\n\r\nFour.", marked="Two.")
        first, second = campaigns.block(made, "en").paragraphs
        assert (first.before, first.marked, first.after) == ("One. ", "Two.", " Three.")
        assert (second.before, second.marked) == ("Four.", "")

    def test_one_that_stands_nowhere_comes_last(self) -> None:
        made = factories.campaign()
        factories.appeal(made, body="One.\n\nTwo.", marked="Three.")
        last = campaigns.block(made, "en").paragraphs[-1]
        assert (last.before, last.marked) == ("Two. ", "Three.")

    @pytest.mark.parametrize("slug", [None, "bare"])
    def test_without_words_the_plain_link_is_left(self, slug: str | None) -> None:
        made = factories.campaign(slug) if slug else None
        block = campaigns.block(made, "en", article="a b&c", base="https://example.org")
        assert block.words is None
        campaign = f"campaign={slug}&" if slug else ""
        assert block.support_url == f"https://example.org/support/?{campaign}article=a+b%26c&lang=en"


class TestAmounts:
    @pytest.fixture(autouse=True)
    def _two_currencies(self, settings) -> None:
        settings.CURRENCIES = ["EUR", "UAH", "USD"]
        factories.appeal(factories.campaign(), amounts={"UAH": [100, 200, 400], "EUR": [5, 10], "XXX": [1, 2]})

    def texts(self, language: str = "en", currency: str = "") -> list[str] | None:
        amounts = campaigns.block(campaigns.default(), language, currency=currency).amounts
        return [each.text for each in amounts.choices] if amounts else None

    def test_the_sites_first_currency_unless_another_is_asked_for(self) -> None:
        assert self.texts() == ["€5", "€10"]
        assert self.texts(currency="uah") == ["₴100", "₴200", "₴400"]
        assert self.texts("uk", "UAH") == ["100\xa0₴", "200\xa0₴", "400\xa0₴"]

    def test_a_currency_on_offer_without_amounts_leaves_a_link_that_says_it(self) -> None:
        block = campaigns.block(campaigns.default(), "en", currency="USD")
        assert block.amounts is None
        assert "currency=USD" in block.support_url

    @pytest.mark.parametrize("currency", ["XXX", "€", "EUREUR"])
    def test_one_that_is_not_on_offer_is_as_good_as_none(self, currency: str) -> None:
        assert self.texts(currency=currency) == ["€5", "€10"]

    def test_one_is_chosen_at_first(self) -> None:
        choices = campaigns.block(campaigns.default(), "en").amounts.choices
        assert [each.is_chosen for each in choices] == [False, True]

    @pytest.mark.parametrize("monthly", [[], [5], [1, 2, 3, 4, 5]])
    def test_the_database_takes_two_to_four(self, monthly: list[int]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            AppealAmounts.objects.create(appeal=Appeal.objects.get(), currency="USD", monthly=monthly, chosen=5)


def test_a_block_takes_two_queries(django_assert_num_queries) -> None:
    made = factories.campaign_with_appeal()
    with django_assert_num_queries(2):
        campaigns.block(made, "en")


def test_the_demo_campaign_can_be_made_twice_and_keeps_what_staff_wrote() -> None:
    make_demo_campaign()
    AppealWords.objects.filter(language="en").update(headline="Changed by staff")
    made = make_demo_campaign()
    assert campaigns.default() == made
    assert campaigns.block(made, "en").words.headline == "Changed by staff"
    assert campaigns.block(made, "uk").words.button == "Долучитися"
    for words in AppealWords.objects.all():
        words.full_clean()
        assert len(words.body.split()) <= 90

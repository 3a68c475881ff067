"""Paper, colours chosen by the reader's system, and less motion: nothing that matters is lost."""

from __future__ import annotations

import pytest

from appeals.demo import make_demo_campaign
from tests.browser import places
from tests.browser.conftest import Opener
from tests.browser.hands import focused, tab_to
from tests.stage import Stage

pytestmark = pytest.mark.browser
BORDERS = """() => [...document.querySelectorAll('[name=amount]')].map((one) =>
  [one.checked, parseFloat(getComputedStyle(one).borderTopWidth), getComputedStyle(one, '::before').content])"""


def test_in_the_system_s_own_colours_the_choice_is_still_seen(open_page: Opener) -> None:
    page = open_page(forced_colors="active")
    page.goto("/support/")
    for is_checked, border, tick in page.evaluate(BORDERS):
        assert (border > 1) == is_checked
        assert (tick == '""') == is_checked
    tab_to(page, "Continue: €10 a month")
    assert focused(page)["outline"] >= 2


def test_nothing_moves_for_those_who_ask_for_less_motion(open_page: Opener) -> None:
    page = open_page(reduced_motion="reduce")
    make_demo_campaign()
    for address in ("/demo/article/", "/support/", f"/support/details/?{places.MONTHLY}"):
        page.goto(address)
        page.hover("button[type=submit] >> nth=0")
        assert page.evaluate("document.getAnimations().length") == 0
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_paper_shows_the_article_without_the_ask(open_page: Opener) -> None:
    make_demo_campaign()
    page = open_page()
    page.goto("/demo/article/")
    page.emulate_media(media="print")
    assert page.is_visible("article h1")
    assert not page.is_visible(".appeal")
    assert page.pdf()[:4] == b"%PDF"


def test_paper_shows_the_thanks_and_the_way_to_transfer_money(open_page: Opener, stage: Stage, settings) -> None:
    settings.BANK_IBAN = "DE89370400440532013000"
    paid = stage.join("month", amount="10")
    page = open_page()
    page.goto(places.return_page(paid))
    page.emulate_media(media="print")
    assert page.is_visible(f"text={paid.reference}")
    assert not page.is_visible(".masthead .list")
    page.goto("/support/other-ways/")
    assert page.is_visible(".qr svg")
    assert page.is_visible("text=DE89 3704 0044 0532 0130 00")

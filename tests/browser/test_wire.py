"""What leaves the reader's browser and what comes in: nobody else is asked, nothing is remembered, little is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page

from appeals.demo import make_demo_campaign
from tests.browser import places
from tests.browser.conftest import PHONE, Opener
from tests.browser.hands import press
from tests.browser.watching import Watch, weight
from tests.stage import Stage

pytestmark = pytest.mark.browser


def cookies(page: Page) -> list[str]:
    return sorted(cookie["name"] for cookie in page.context.cookies())  # type: ignore[typeddict-item]


def test_a_gift_speaks_to_two_hosts_and_leaves_one_cookie(open_page: Opener, stage: Stage, watch: Watch) -> None:
    make_demo_campaign()
    page = open_page()
    page.goto("/demo/article/")
    for _name, address in [*places.WORDS, ("", "/support/other-ways/"), ("", "/support/")]:
        page.goto(address)
    assert cookies(page) == []
    press(page, "button:has-text('Continue')")
    assert cookies(page) == ["csrftoken"]
    page.fill("#email", "olena@example.org")
    press(page, "#give")
    assert page.url.startswith(stage.stripe.base_url), "form-action lets the 303 through"
    press(page, ".button.wide")
    stage.settle_down()
    page.reload()
    page.goto(places.stop_page())
    press(page, "text=Stop my support")
    assert page.get_attribute("main", "data-state") == "done"
    assert cookies(page) == ["csrftoken"]
    hosts = {urlsplit(each.url).netloc for each in watch.requests}
    assert hosts == {urlsplit(each).netloc for each in watch.allowed}
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_stripe_is_told_nothing_of_the_page_the_reader_came_from(open_page: Opener, stage: Stage, watch: Watch) -> None:
    page = open_page()
    page.goto(f"/support/details/?{places.MONTHLY}")
    page.fill("#email", "olena@example.org")
    press(page, "#give")
    at_stripe = [each for each in watch.requests if each.url.startswith(stage.stripe.base_url)]
    assert at_stripe
    assert all("details" not in each.headers.get("referer", "") for each in at_stripe)


def test_the_description_of_the_interface_keeps_the_policy_too(open_page: Opener) -> None:
    page = open_page(viewport={"width": 1280, "height": 860})
    page.goto("/api/docs/")
    page.wait_for_selector(".opblock")


def test_the_watch_would_notice(open_page: Opener, watch: Watch) -> None:
    page = open_page()
    page.goto("/support/")
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://example.org/pixel.png'}))")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    page.wait_for_timeout(200)
    assert any("example.org/pixel.png" in each for each in watch.complaints)
    assert any("style" in each for each in watch.complaints)
    watch.complaints.clear()
    watch.requests.clear()


@pytest.fixture
def deployed(committed: None, settings: Any, tmp_path: Path) -> Iterator[str]:
    """Our site with its files collected and compressed, as in production."""
    settings.STATIC_ROOT, settings.DEBUG = tmp_path / "static", False
    settings.ALLOWED_HOSTS, settings.WHITENOISE_USE_FINDERS, settings.WHITENOISE_AUTOREFRESH = (
        ["localhost"],
        False,
        False,
    )
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    compressed = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": compressed}
    call_command("collectstatic", "--noinput", verbosity=0)
    server = LiveServerThread("localhost", lambda application: application)
    server.start()
    server.is_ready.wait()
    yield f"http://localhost:{server.port}"
    server.terminate()


@pytest.mark.parametrize("language", ["en", "uk"])
def test_the_support_page_weighs_at_most_35_kb_in_six_requests(browser: Browser, deployed: str, language: str) -> None:
    context = browser.new_context(viewport=PHONE)
    page, answers = context.new_page(), []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{deployed}/support/?lang={language}", wait_until="networkidle")
    heavy = weight(answers)
    context.close()
    assert {answer.status for answer in answers} == {200}
    assert len(answers) <= 6
    assert {urlsplit(answer.url).netloc for answer in answers} == {urlsplit(deployed).netloc}
    assert heavy <= 35 * 1024

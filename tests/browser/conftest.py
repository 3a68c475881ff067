"""A real Chromium, and the whole product on a stage that it reaches over HTTP.

Every page that a test opens is watched: what Chromium complains about, or asks a stranger for, fails the test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.watching import Watch
from tests.conftest import CHROMIUM
from tests.stage import Stage, set_the_scene

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for the folder. Playwright's event loop stands beside it, which Django takes for async code."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def stage(committed: None, live_server: Any, settings: Any, tmp_path: Path) -> Iterator[Stage]:
    """The scene of the journeys, with our site at an address of its own."""
    for scene in set_the_scene(settings, tmp_path, Client()):
        settings.SITE_URL = live_server.url
        settings.ALLOWED_HOSTS = ["testserver", "localhost"]
        settings.STRIPE_PAGE_HOSTS = [settings.STRIPE_API_BASE]
        settings.CONTENT_SECURITY_POLICY = _with_form_action(settings.CONTENT_SECURITY_POLICY, settings.STRIPE_API_BASE)
        settings.EDITOR_NAME, settings.EDITOR_ROLE = "Mariana Savchuk", "Editor-in-chief"
        yield scene


def _with_form_action(policy: dict[str, Any], page_host: str) -> dict[str, Any]:
    directives = policy["DIRECTIVES"]
    return {**policy, "DIRECTIVES": {**directives, "form-action": [directives["form-action"][0], page_host]}}


Opener = Callable[..., Page]


@pytest.fixture
def watch(stage: Stage, live_server: Any, settings: Any) -> Iterator[Watch]:
    seen = Watch(live_server.url, settings.STRIPE_API_BASE)
    yield seen
    assert seen.complaints == []
    assert seen.strangers == []


@pytest.fixture
def open_page(browser: Browser, live_server: Any, watch: Watch) -> Iterator[Opener]:
    """Opens a window of its own: on a phone, in English, in daylight, with script, unless told otherwise."""
    contexts = []

    def opened(**how: Any) -> Page:
        ordinary = {"base_url": live_server.url, "locale": "en-IE", "viewport": PHONE, "color_scheme": "light"}
        context = browser.new_context(**{**ordinary, **how})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        watch.over(page)
        return page

    yield opened
    for context in contexts:
        context.close()

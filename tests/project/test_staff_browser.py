"""The desk in a real Chromium: our browser rules hold on every kind of page, on a phone, by day and by night."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.admin.utils import quote
from django.urls import reverse
from playwright.sync_api import Browser, Page, sync_playwright

from payments import cases
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not shutil.which("chromium"), reason="needs Chromium")]
LISTS = ["members_supporter", "members_message", "payments_payment", "payments_subscription", "payments_ledgerentry",
         "payments_checkout", "payments_case", "payments_stripeevent", "auth_user"]  # fmt: skip
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def addresses(committed: None) -> list[str]:
    """The address of every list, of a page of each kind, and of two acts."""
    factories.staff()
    who = factories.supporter(name="Олена Коваль", email="olena.with.a.long.address@subdomain.example.org")
    paid = factories.payment(who, subscription=factories.subscription(who))
    factories.ledger_lines(paid)
    rows = [who, paid, paid.subscription, factories.refund(paid, 100), factories.message(who), factories.checkout(who),
            factories.event("dead", error="KeyError"), cases.open_case("duplicate_payment", "a", who)]  # fmt: skip
    pages = [reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[quote(row.pk)]) for row in rows]
    acts = [f"/admin/payments/subscription/{paid.subscription.pk}/stop/", f"/admin/payments/case/{rows[-1].pk}/settle/"]
    letter = reverse("admin:members_message_letter", args=[rows[4].pk])
    lists = [reverse(f"admin:{name}_changelist") for name in LISTS]
    return ["/admin/", *lists, *pages, *acts, letter, "/admin/auth/user/add/", "/admin/password_change/"]


@pytest.fixture
def browser(addresses: list[str]) -> Iterator[Browser]:
    """Started after the rows are made: beside its event loop Django's models may not be used."""
    with sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        opened = driver.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield opened
        opened.close()


def signed_in(browser: Browser, site: str, scheme: str, width: int, complaints: list[str]) -> Page:
    page = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}).new_page()
    page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.goto(f"{site}/admin/login/?next=/admin/")
    page.fill("[name=username]", "marta")
    page.fill("[name=password]", "a long pass phrase")
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    return page


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_every_kind_of_page_keeps_our_browser_rules(
    live_server, addresses: list[str], browser: Browser, scheme: str, width: int
) -> None:
    complaints: list[str] = []
    page = signed_in(browser, live_server.url, scheme, width, complaints)
    for address in addresses:
        answer = page.goto(live_server.url + address)
        assert answer is not None
        assert answer.status == 200, address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{address} is wider than the screen"
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_our_own_pages_can_be_read_by_everybody(
    live_server, addresses: list[str], browser: Browser, scheme: str
) -> None:
    page = signed_in(browser, live_server.url, scheme, 1280, [])
    broken: list[object] = []
    ours = [one for one in addresses if "/auth/" not in one and "letter" not in one]
    for address in ours if scheme == "light" else ours[::4]:
        page.goto(live_server.url + address)
        for rule in Axe().run(page, options=RULES).response["violations"]:
            broken.append((address, rule["id"], [node["html"][:90] for node in rule["nodes"][:3]]))
    assert broken == []


def test_without_script_a_case_is_settled_and_the_lists_are_reached(
    live_server, addresses: list[str], browser: Browser
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{live_server.url}/admin/login/?next=/admin/")
    page.fill("[name=username]", "marta")
    page.fill("[name=password]", "a long pass phrase")
    page.click("[type=submit]")
    page.click("nav.rooms >> text=Cases")
    page.click("th a")
    page.click("text=Settle this case")
    page.fill("[name=note]", "Meant twice.")
    page.click("button:has-text('Settle this case')")
    assert "The case is settled." in page.content()
    page.click("nav.rooms >> text=Payments")
    page.click("summary:has-text('Status')")
    page.click("details[open] >> text=received")
    assert "status__exact=succeeded" in page.url

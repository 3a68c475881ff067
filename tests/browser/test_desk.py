"""The desk in a real Chromium: our browser rules hold on every kind of page, on a phone, by day and by night."""

from __future__ import annotations

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse
from playwright.sync_api import Page

from payments import cases
from tests import factories
from tests.browser.conftest import Opener
from tests.browser.eye import DESK, Eye
from tests.browser.hands import press

pytestmark = pytest.mark.browser
LISTS = [
    "members_supporter",
    "members_message",
    "payments_payment",
    "payments_subscription",
    "payments_ledgerentry",
    "payments_checkout",
    "payments_case",
    "payments_stripeevent",
    "payments_difference",
    "payments_reconciliation",
    "auth_user",
]


@pytest.fixture
def addresses(committed: None) -> list[str]:
    """The address of every list, of a page of each kind, and of two acts."""
    factories.staff()
    who = factories.supporter(name="Олена Коваль", email="olena.with.a.long.address@subdomain.example.org")
    paid = factories.payment(who, subscription=factories.subscription(who))
    factories.ledger_lines(paid)
    rows = [
        who,
        paid,
        paid.subscription,
        factories.refund(paid, 100),
        factories.message(who),
        factories.checkout(who),
        factories.event("dead", error="KeyError"),
        cases.open_case("duplicate_payment", "a", who),
    ]
    pages = [reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[quote(row.pk)]) for row in rows]
    acts = [f"/admin/payments/subscription/{paid.subscription.pk}/stop/", f"/admin/payments/case/{rows[-1].pk}/settle/"]
    samples = [
        "/admin/members/message/letters/",
        *(
            f"/admin/members/message/letters/receipt_recurring/{end}"
            for end in ("", "?part=text&person=long", "?scheme=dark", "test/", "frame/")
        ),
    ]
    letter = reverse("admin:members_message_letter", args=[rows[4].pk])
    lists = [reverse(f"admin:{name}_changelist") for name in LISTS]
    return ["/admin/", *lists, *pages, *acts, *samples, letter, "/admin/auth/user/add/", "/admin/password_change/"]


def sign_in(page: Page, words: str = "a long pass phrase") -> Page:
    factories.forget_tries()
    page.goto("/admin/login/?next=/admin/")
    page.fill("[name=username]", "marta")
    page.fill("[name=password]", words)
    press(page, "[type=submit]")
    return page


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_every_kind_of_page_keeps_our_browser_rules(
    addresses: list[str], open_page: Opener, scheme: str, width: int
) -> None:
    page = sign_in(open_page(color_scheme=scheme, viewport={"width": width, "height": 800}))
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{address} is wider than the screen"


def test_the_door_and_our_own_pages_can_be_read_by_everybody(addresses: list[str], open_page: Opener) -> None:
    eye = Eye(open_page(viewport=DESK))
    eye.page.goto("/admin/")
    eye.axe("the door")
    sign_in(eye.page, "not this one")
    eye.axe("the door, shut")
    sign_in(eye.page)
    ours = [
        address for address in addresses if "/auth/" not in address and not address.endswith(("/letter/", "/frame/"))
    ]
    for address in ours:
        eye.page.goto(address)
        eye.axe(address, at_night=address in ours[::4])
    assert eye.found == []


def test_without_script_a_case_is_settled_and_the_lists_are_reached(addresses: list[str], open_page: Opener) -> None:
    page = sign_in(open_page(java_script_enabled=False, viewport=DESK))
    press(page, "nav.rooms >> text=Cases")
    press(page, "th a")
    press(page, "text=Settle this case")
    page.fill("[name=note]", "Meant twice.")
    press(page, "button:has-text('Settle this case')")
    assert "The case is settled." in page.content()
    press(page, "nav.rooms >> text=Payments")
    page.click("summary:has-text('Status')")
    press(page, "details[open] >> text=received")
    assert "status__exact=succeeded" in page.url

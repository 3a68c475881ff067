"""The return page: every state is described truthfully and has a next step that works, for anyone with the link."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client

from members import clock
from members.links import signed
from payments.models import Checkout
from project import middleware
from tests import factories
from tests.payments.views.test_give import text

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def return_path(checkout: Checkout, query: str = "") -> str:
    return f"/support/return/{signed.sign('return', str(checkout.public_id))}/{query}"


def state(answer) -> str:
    return re.search(r'<main[^>]*data-state="([a-z_]+)"', answer.content.decode())[1]  # type: ignore[index]


@pytest.mark.django_db
def test_paid_says_thanks_what_and_how_to_stop() -> None:
    giver = factories.supporter(name="Olena Koval", email="olena@example.org")
    checkout = factories.checkout(giver)
    subscription = factories.subscription(giver, checkout=checkout, renews_on=date(2026, 12, 22))
    factories.payment(giver, checkout=checkout, subscription=subscription, created_at=NOON, frequency="month")
    answer = Client().get(return_path(checkout))
    said = text(answer)
    assert state(answer) == "paid"
    for sentence in (
        "Thank you, Olena.",
        "€10",
        "22 November 2026",
        "22 December 2026",
        checkout.reference,
        "Visa 4242",
    ):
        assert sentence in said
    assert "olena@example.org" not in said
    assert "@example.org" in said
    assert "Olena" not in re.search(r"<title>(.*?)</title>", answer.content.decode())[1]  # type: ignore[index]
    token = re.search(r'href="/stop/([^/]+)/"', answer.content.decode())[1]  # type: ignore[index]
    assert signed.read("stop", token) == str(subscription.public_id)


@pytest.mark.django_db
def test_a_stopped_subscription_offers_no_stop_and_no_next_payment() -> None:
    giver = factories.supporter()
    checkout = factories.checkout(giver)
    stopped = factories.subscription(giver, checkout=checkout, cancel_at_period_end=True)
    factories.payment(giver, checkout=checkout, subscription=stopped)
    answer = Client().get(return_path(checkout))
    assert "/stop/" not in answer.content.decode()
    assert "It is stopped" in text(answer)


@pytest.mark.django_db
def test_money_sent_back_is_said() -> None:
    checkout = factories.checkout(factories.supporter(), frequency="once")
    factories.refund(factories.payment(checkout=checkout), 400)
    assert "Sent back €4.00" in text(Client().get(return_path(checkout)))


@pytest.mark.django_db
def test_a_debit_under_way_is_with_the_bank() -> None:
    giver = factories.supporter()
    checkout = factories.checkout(giver)
    factories.payment(giver, checkout=checkout, status="processing")
    answer = Client().get(return_path(checkout))
    assert state(answer) == "processing"
    assert "at most fourteen" in text(answer)


@pytest.mark.django_db
def test_not_known_yet_looks_again_six_times_and_no_more() -> None:
    path = return_path(factories.checkout())
    url, seen = path, []
    for _ in range(9):
        answer = Client().get(url)
        assert state(answer) == "checking"
        found = re.search(r'http-equiv="refresh" content="5; url=([^"]+)"', answer.content.decode())
        if not found:
            break
        url = unescape(found[1])
        seen.append(url)
    assert seen == [f"{path}?try={number}" for number in range(1, 7)]
    assert f'href="{path}"' in answer.content.decode()
    for hostile in ("7", "-1", "x", "9" * 400, "%00"):
        assert "refresh" not in Client().get(f"{path}?try={hostile}").content.decode()


@pytest.mark.django_db
def test_not_finished_offers_the_open_page_the_same_choice_and_another_way() -> None:
    checkout = factories.checkout(stripe_session_url="https://checkout.stripe.com/c/pay/x")
    body = Client().get(return_path(checkout, "?left=1")).content.decode()
    assert 'data-state="not_finished"' in body
    assert "Nothing was charged." in body
    assert 'href="https://checkout.stripe.com/c/pay/x"' in body
    assert 'href="/support/?frequency=month&amp;amount=10&amp;currency=EUR"' in body
    assert 'href="/support/other-ways/"' in body


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "reason"), [("expired_card", "The card has expired."), ("fraudulent", "did not say why")]
)
def test_failed_says_why_where_it_is_safe_and_goes_on(code: str, reason: str) -> None:
    checkout = factories.checkout(factories.supporter())
    factories.payment(checkout=checkout, status="failed", failure_code=code)
    answer = Client().get(return_path(checkout))
    assert state(answer) == "failed"
    assert reason in text(answer)
    assert 'href="/support/details/?frequency=month&amp;amount=10&amp;currency=EUR"' in answer.content.decode()


@pytest.mark.django_db
def test_expired_starts_again_with_the_same_choice() -> None:
    checkout = factories.checkout(status="expired", frequency="once", amount=1550, currency="PLN")
    answer = Client().get(return_path(checkout, "?lang=en"))
    assert state(answer) == "expired"
    wanted = "/support/details/?frequency=once&amp;amount=15.50&amp;currency=PLN&amp;lang=en"
    assert wanted in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("ending", ["paid", "checking"])
def test_the_same_after_a_reload_and_on_another_device(ending: str) -> None:
    giver = factories.supporter()
    checkout = factories.checkout(giver)
    if ending == "paid":
        factories.payment(giver, checkout=checkout)
    pages = [Client().get(return_path(checkout)).content for _ in range(2)]
    assert pages[0] == pages[1]
    assert Checkout.objects.get().status == checkout.status


@pytest.mark.django_db
def test_a_link_that_is_not_ours_is_a_friendly_404() -> None:
    known = factories.checkout()
    for token in ("x", "a.b", "%00", "." * 900, signed.sign("stop", str(known.public_id)), signed.sign("return", "x")):
        answer = Client().get(f"/support/return/{token}/")
        assert answer.status_code == 404
        assert "/support/" in answer.content.decode()


@pytest.mark.django_db
def test_the_page_runs_out_and_stops_only_on_the_first_day() -> None:
    """Its address stays in the browser, which others may use."""
    giver = factories.supporter()
    checkout = factories.checkout(giver, frequency="month")
    subscription = factories.subscription(giver, checkout=checkout)
    factories.payment(giver, checkout=checkout, subscription=subscription)
    address = return_path(checkout)
    token = re.search(r'href="/stop/([^/]+)/"', Client().get(address).content.decode())[1]  # type: ignore[index]
    assert signed.last_day("stop", token) == datetime.now(UTC).date() + timedelta(days=1)
    Checkout.objects.update(created_at=clock.now() - timedelta(days=2))
    later = Client().get(address).content.decode()
    assert "/stop/" not in later
    assert 'href="/support/manage/"' in later
    with time_machine.travel(datetime.now(UTC) + timedelta(days=61)):
        assert Client().get(address).status_code == 404


@pytest.mark.django_db
def test_links_that_do_not_open_are_slowed_and_those_that_do_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "MOST_GUESSES", 60)
    here = f"2001:db8:{secrets.token_hex(2)}::"
    address = return_path(factories.checkout())
    guesses = [Client().get(f"/stop/{n}.x/", REMOTE_ADDR=f"{here}1").status_code for n in range(62)]
    assert guesses == [404] * 60 + [429] * 2
    refused = Client().get("/unsubscribe/x/?lang=uk", REMOTE_ADDR=f"{here}2")
    assert (refused.status_code, refused["Retry-After"]) == (429, "600")
    assert "/support/" in refused.content.decode(), "the page is the same, and says where a fresh link is"
    assert Client().get(address, REMOTE_ADDR=f"{here}2").status_code == 200
    assert Client().get("/stop/x/", REMOTE_ADDR=f"{here.replace('db8', 'db9')}1").status_code == 404


@pytest.mark.django_db
def test_the_stop_page_works_as_browsers_send_it_without_a_cookie_and_with_no_origin() -> None:
    token = signed.sign("stop", str(factories.subscription(status="canceled").public_id))
    page = Client(enforce_csrf_checks=True)
    assert not page.get(f"/stop/{token}/").cookies
    assert page.post(f"/stop/{token}/", headers={"Origin": "null"}).status_code == 200

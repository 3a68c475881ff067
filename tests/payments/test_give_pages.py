"""The reader's pages over HTTP: what they offer, keep, refuse and say; what comes back from Stripe's door."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path

import pytest
import time_machine
from django.test import Client

from members import links
from members.models import Consent
from payments.models import Checkout
from tests import factories
from tests.stage import Stage, hidden_fields, set_the_scene

CHOICE = {"frequency": "month", "amount": "10", "currency": "EUR"}
DETAILS = "/support/details/"
PERSON = {"email": "olena@example.org", "name": "Olena Koval"}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def stage(db: None, settings, tmp_path: Path) -> Iterator[Stage]:
    yield from set_the_scene(settings, tmp_path, Client())


@pytest.fixture
def nobody_at_stripe(settings) -> None:
    """An address that refuses connections: a port that was just given back."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    settings.CHECKOUT_LIMIT_PER_NETWORK = settings.CHECKOUT_LIMIT_IN_ALL = 10000
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = f"http://127.0.0.1:{port}", "sk_test_nobody"


def text(answer) -> str:
    """What the page says, without markup."""
    body = re.sub(r"<(script|template)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def checked(answer, name: str) -> list[str]:
    body = re.sub(r"<template\b.*?</template>", "", answer.content.decode(), flags=re.DOTALL)
    inputs = re.findall(rf'<input type="radio" name="{name}"[^>]*>', body)
    return [re.search(r'value="([^"]*)"', found)[1] for found in inputs if " checked" in found]  # type: ignore[index]


# The amount page


@pytest.mark.django_db
def test_monthly_comes_first_with_the_second_amount() -> None:
    answer = Client().get("/support/")
    assert checked(answer, "frequency") == ["month"]
    assert checked(answer, "amount") == ["10"]
    body = answer.content.decode()
    assert body.index("How often?") < body.index("How much?")
    assert body.index('value="month"') < body.index('value="year"') < body.index('value="once"')
    assert 'action="/support/details/" method="get"' in body


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "frequency", "amount"),
    [
        ("?frequency=year", "year", "100"),
        ("?frequency=once&currency=UAH", "once", "400"),
        ("?frequency=once&amount=50", "once", "50"),
        ("?amount=15", "month", "other"),
        ("?frequency=weekly&amount=%00", "month", "10"),
    ],
)
def test_an_address_can_choose_beforehand(query: str, frequency: str, amount: str) -> None:
    answer = Client().get(f"/support/{query}")
    assert (checked(answer, "frequency"), checked(answer, "amount")) == ([frequency], [amount])


@pytest.mark.django_db
def test_an_amount_that_no_chip_has_stands_in_the_field() -> None:
    assert 'name="other_amount" inputmode="decimal" autocomplete="off" maxlength="40" value="15"' in (
        Client().get("/support/?amount=15").content.decode()
    )


@pytest.mark.django_db
def test_the_page_carries_on_where_the_reader_came_from() -> None:
    query = {"campaign": "autumn", "appeal": "end", "article": 'kyiv"water', "lang": "uk", "currency": "UAH"}
    fields = hidden_fields(Client().get("/support/", query).content.decode())
    assert query.items() <= {name: unescape(value) for name, value in fields.items()}.items()


@pytest.mark.django_db
@time_machine.travel(datetime(2026, 1, 31, 12, tzinfo=UTC), tick=False)
def test_the_next_payment_is_named_before_anything_is_asked() -> None:
    said = text(Client().get("/support/"))
    assert "next on 28 February 2026" in said
    assert "next on 31 January 2027" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "sentence", "field"),
    [
        ({"amount": "1"}, "The least you can give this way is €2", "#amount-other"),
        ({"amount": "9000"}, "For more, use a bank transfer", "#amount-other"),
        ({"amount": "other", "other_amount": "1e3"}, "Write the amount in figures", "#amount-other"),
        ({"amount": ""}, "Choose an amount", "#amount-1"),
        ({"frequency": "never"}, "Choose how often", "#frequency"),
        ({"currency": "XXX"}, "Choose a currency from the list", "#currency-choice"),
    ],
)
def test_a_choice_that_is_not_valid_comes_back_with_what_to_do(changes, sentence: str, field: str) -> None:
    answer = Client().get(DETAILS, {**CHOICE, **changes})
    assert answer.status_code == 422
    body = answer.content.decode()
    assert "<title>Error: " in body
    assert 'role="alert" tabindex="-1" autofocus' in body
    link = re.search(rf'<a href="{field}">([^<]*)</a>', body)
    assert link
    assert sentence in unescape(link[1])
    assert f'id="{field[1:]}"' in body
    assert "csrfmiddlewaretoken" not in body


@pytest.mark.django_db
def test_what_was_typed_stays() -> None:
    answer = Client().get(DETAILS, {"frequency": "year", "amount": "other", "other_amount": "1,5<", "currency": "PLN"})
    body = answer.content.decode()
    assert checked(answer, "frequency") == ["year"]
    assert checked(answer, "amount") == ["other"]
    assert 'value="1,5&lt;"' in body
    assert '<input type="hidden" name="currency" value="PLN">' in body


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", ["", "?frequency=", "?amount=10", "?" + "a=b&" * 900, "?amount=%ff%fe&frequency=month"]
)
def test_odd_addresses_never_break(query: str) -> None:
    assert Client().get(DETAILS + query).status_code == 422
    assert Client().get("/support/" + query).status_code == 200


# The details page


@pytest.mark.django_db
@time_machine.travel(NOON, tick=False)
def test_before_paying_everything_is_said() -> None:
    said = text(Client().get(DETAILS, CHOICE))
    for sentence in (
        "Give €10 every month",
        "Today, 22 November 2026",
        "Next payment 22 December 2026",
        "Every month, until you stop",
        "One click in any receipt",
        "THE DNIPRO COURIER",
    ):
        assert sentence in said


@pytest.mark.django_db
def test_a_gift_once_has_no_next_payment() -> None:
    said = text(Client().get(DETAILS, {**CHOICE, "frequency": "once"}))
    assert "Give €10 once" in said
    assert "Next payment" not in said


@pytest.mark.django_db
def test_fields_say_what_they_are_for() -> None:
    body = Client().get(DETAILS, CHOICE).content.decode()
    assert 'type="email" autocomplete="email"' in body
    assert 'name="name" autocomplete="name"' in body
    assert "password" not in body


def test_the_gift_leads_to_stripe_and_the_words_are_kept(stage: Stage, settings) -> None:
    page = stage.client.get(DETAILS, CHOICE)
    answer = stage.client.post(DETAILS, hidden_fields(page.content.decode()) | PERSON)
    assert answer.status_code == 303
    assert answer["Location"].startswith(settings.STRIPE_API_BASE)
    checkout = Checkout.objects.get()
    assert (checkout.amount, checkout.currency, checkout.frequency) == (1000, "EUR", "month")
    assert (checkout.email, checkout.name, checkout.language) == ("olena@example.org", "Olena Koval", "en")
    button, _, rest = checkout.consent.words.partition(". ")
    assert button in text(page)
    assert rest in text(page).replace(" .", ".")


def test_a_double_click_and_a_reload_are_one_checkout(stage: Stage) -> None:
    fields = hidden_fields(stage.client.get(DETAILS, CHOICE).content.decode()) | PERSON
    answers = [stage.client.post(DETAILS, fields)["Location"] for _ in range(3)]
    assert len(set(answers)) == 1
    assert Checkout.objects.count() == 1
    other = stage.client.post(DETAILS, fields | {"email": "marko@example.org"})["Location"]
    assert other not in answers
    assert Consent.objects.count() == 2


def test_a_form_without_our_key_still_gives(stage: Stage) -> None:
    assert stage.client.post(DETAILS, CHOICE | PERSON | {"form_key": "short"}).status_code == 303
    assert stage.client.post(DETAILS, CHOICE | PERSON).status_code == 303
    assert Checkout.objects.count() == 2


@pytest.mark.django_db
def test_an_address_that_cannot_be_one_comes_back() -> None:
    client = Client()
    fields = hidden_fields(client.get(DETAILS, CHOICE).content.decode())
    answer = client.post(DETAILS, fields | {"email": "olena@", "name": "Olena"})
    body = answer.content.decode()
    assert answer.status_code == 422
    assert '<a href="#email">Add the part after the @' in body
    assert 'aria-describedby="email-hint email-error" aria-invalid="true"' in body
    assert 'value="olena@"' in body
    assert 'value="Olena"' in body
    assert fields["form_key"] in body
    assert answer["Cache-Control"] == "private, no-store"
    assert not Checkout.objects.exists()


@pytest.mark.django_db
def test_a_trap_that_was_filled_in_says_so_and_is_emptied() -> None:
    answer = Client().post(DETAILS, CHOICE | PERSON | {"website": "https://spam.example"})
    assert answer.status_code == 422
    assert "spam.example" not in answer.content.decode()
    assert not Checkout.objects.exists()


@pytest.mark.django_db
def test_a_choice_that_is_not_valid_comes_back_by_post_too() -> None:
    answer = Client().post(DETAILS, {**CHOICE, "amount": "1", **PERSON})
    assert answer.status_code == 422
    assert 'data-step="amount"' in answer.content.decode()
    assert "olena@example.org" not in answer.content.decode()


@pytest.mark.django_db
def test_stripe_silent_keeps_everything(nobody_at_stripe: None) -> None:
    client = Client()
    fields = hidden_fields(client.get(DETAILS, CHOICE).content.decode()) | PERSON
    answer = client.post(DETAILS, fields)
    assert answer.status_code == 503
    said = text(answer)
    assert "Our payment partner is not answering" in said
    assert "Nothing was charged" in said
    body = answer.content.decode()
    assert 'value="olena@example.org"' in body
    assert fields["form_key"] in body
    assert 'href="/support/other-ways/"' in body


def test_a_try_after_stripe_was_silent_is_the_same_checkout(stage: Stage, settings) -> None:
    fields = hidden_fields(stage.client.get(DETAILS, CHOICE).content.decode()) | PERSON
    answering, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
    assert stage.client.post(DETAILS, fields).status_code == 503
    settings.STRIPE_API_BASE = answering
    assert stage.client.post(DETAILS, fields).status_code == 303
    assert Checkout.objects.count() == 1


def test_many_tries_from_one_network_are_slowed_down_kindly(stage: Stage, settings) -> None:
    settings.CHECKOUT_LIMIT_PER_NETWORK = 3
    here, elsewhere = (f"2001:db8:{secrets.token_hex(2)}:{n}::1" for n in (1, 2))

    def give(number: int, address: str = here):
        fields = CHOICE | PERSON | {"email": f"r{number}@example.org"}
        return stage.client.post(DETAILS, fields, REMOTE_ADDR=address)

    assert [give(number).status_code for number in range(3)] == [303] * 3
    refused = give(3)
    assert refused.status_code == 429
    assert refused["Retry-After"] == str(settings.CHECKOUT_LIMIT_SECONDS)
    assert "Nothing was charged" in text(refused)
    assert 'value="r3@example.org"' in refused.content.decode()
    assert give(4, elsewhere).status_code == 303
    settings.CHECKOUT_LIMIT_IN_ALL = 1
    assert give(5, elsewhere).status_code == 429
    assert Checkout.objects.count() == 4


@pytest.mark.django_db
def test_a_post_without_the_cookie_is_refused_with_a_way_on() -> None:
    answer = Client(enforce_csrf_checks=True).post(DETAILS, CHOICE | PERSON)
    assert answer.status_code == 403
    assert "Nothing was charged" in text(answer)


# Coming back


def return_path(checkout: Checkout, query: str = "") -> str:
    return f"/support/return/{links.sign('return', str(checkout.public_id))}/{query}"


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
    assert links.read("stop", token) == str(subscription.public_id)


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
    for token in ("x", "a.b", "%00", "." * 900, links.sign("stop", str(known.public_id)), links.sign("return", "x")):
        answer = Client().get(f"/support/return/{token}/")
        assert answer.status_code == 404
        assert "/support/" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["give-safely", "questions", "privacy", "terms", "contact"])
def test_pages_that_say_the_same_to_everybody(page: str, settings) -> None:
    settings.CONTACT_EMAIL, settings.STATEMENT_NAME = "people@example.org", "COURIER DNIPRO"
    body = Client().get(f"/support/{page}/").content.decode()
    assert "<h1>" in body
    assert "people@example.org" in body
    if page in ("give-safely", "questions"):
        assert "COURIER DNIPRO" in body


@pytest.mark.django_db
def test_a_newsroom_says_it_in_its_own_words(settings, tmp_path: Path) -> None:
    (tmp_path / "give").mkdir()
    (tmp_path / "give" / "why.html").write_text("<h1>Our own words</h1>")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path), *settings.TEMPLATES[0]["DIRS"]]}]
    assert "Our own words" in Client().get("/support/").content.decode()

"""The readers' pages of giving over HTTP: their choices, defaults, errors, and the redirect to Stripe."""

from __future__ import annotations

import re
import secrets
import socket
from datetime import UTC, datetime
from html import unescape

import pytest
import time_machine
from django.test import Client

from members.models import Consent
from payments.models import Checkout
from tests.stage import Stage, hidden_fields

CHOICE = {"frequency": "month", "amount": "10", "currency": "EUR"}
DETAILS = "/support/details/"
PERSON = {"email": "olena@example.org", "name": "Olena Koval"}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def nobody_at_stripe(settings) -> None:
    """Point to a Stripe that refuses connections: a port that was just closed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    settings.CHECKOUT_LIMIT_PER_NETWORK = settings.CHECKOUT_LIMIT_IN_ALL = 10000
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = f"http://127.0.0.1:{port}", "sk_test_nobody"


def text(answer) -> str:
    """Return the text of a page, without markup."""
    body = re.sub(r"<(script|template)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def checked(answer, name: str) -> list[str]:
    body = re.sub(r"<template\b.*?</template>", "", answer.content.decode(), flags=re.DOTALL)
    inputs = re.findall(rf'<input type="radio"[^>]* name="{name}"[^>]*>', body)
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
    assert hidden_fields(answer.content.decode())["email"] == "olena@example.org", "what was typed stays"


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


def test_a_form_sent_again_has_its_session_whatever_the_limits_say(stage: Stage, settings) -> None:
    settings.CHECKOUT_LIMIT_PER_NETWORK = 2
    here = f"2001:db8:{secrets.token_hex(2)}::1"

    def give(number: int):
        fields = CHOICE | PERSON | {"email": f"r{number}@example.org", "form_key": f"form-sent-again-{number}"}
        return stage.client.post(DETAILS, fields, REMOTE_ADDR=here)

    assert [give(number).status_code for number in range(3)] == [303, 303, 422]
    assert give(1).status_code == 303, "Nothing new is made."
    assert Checkout.objects.count() == 2


@pytest.mark.django_db
def test_a_post_without_the_cookie_is_refused_with_a_way_on() -> None:
    answer = Client(enforce_csrf_checks=True).post(DETAILS, CHOICE | PERSON)
    assert answer.status_code == 403
    assert "Nothing was charged" in text(answer)

"""Text that readers type becomes a choice and a person, or an error message that says what to do."""

from __future__ import annotations

from datetime import date

import pytest

from payments.giving.choices import next_on
from payments.giving.forms import ChoiceForm, PersonForm, likely_email
from payments.giving.suggestions import currency_for
from tests import factories

CHOICE = {"frequency": "month", "amount": "10", "currency": "EUR"}


def choice_form(**changes: str) -> ChoiceForm:
    form = ChoiceForm({name: value for name, value in {**CHOICE, **changes}.items() if value != "-"})
    form.is_valid()
    return form


@pytest.mark.django_db
def test_a_choice_is_read_with_where_it_came_from() -> None:
    campaign = factories.campaign("autumn")
    appeal = factories.appeal(campaign, "autumn-end")
    choice = choice_form(appeal="autumn-end", article="kyiv-water").choice
    assert (choice.frequency, choice.amount, choice.currency) == ("month", 1000, "EUR")
    assert (choice.campaign, choice.appeal, choice.article) == (campaign, appeal, "kyiv-water")
    assert choice.fields() == {**CHOICE, "campaign": "autumn", "appeal": "autumn-end", "article": "kyiv-water"}


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["gone", "../../etc", "a\x00b", "x" * 500, "'; drop table"])
def test_an_unknown_campaign_never_stands_in_the_way(slug: str) -> None:
    form = choice_form(campaign=slug, appeal=slug, article="a\x00\nb" + "x" * 500)
    assert form.is_valid()
    assert (form.choice.campaign, form.choice.appeal) == (None, None)
    assert form.choice.article.startswith("a b")
    assert len(form.choice.article) == 120


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("amount", "other", "minor"),
    [("other", "12,50", 1250), ("-", "12.5", 1250), ("", "15", 1500), ("10", "25", 1000), ("10", "", 1000)],
)
def test_a_typed_amount_counts_only_when_no_other_is_chosen(amount: str, other: str, minor: int) -> None:
    assert choice_form(amount=amount, other_amount=other).choice.amount == minor


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"amount": "1"}, "The least you can give this way is €2."),
        ({"amount": "2", "frequency": "once"}, "The least you can give this way is €3."),
        ({"amount": "5001"}, "The most you can give this way is €5,000. For more, use a bank transfer or write to us"),
        ({"amount": "other", "other_amount": "1.000"}, "without a separator between thousands"),
        ({"amount": "other", "other_amount": "10.555555"}, "two decimals at most"),
        ({"amount": "other", "other_amount": "1500.5", "currency": "JPY"}, "no decimals"),
        ({"amount": "1e3"}, "in figures"),
        ({"amount": "-5"}, "above zero"),
        ({"amount": "other"}, "Choose an amount"),
        ({"amount": "-"}, "Choose an amount"),
        ({"frequency": "weekly"}, "how often"),
        ({"frequency": "-"}, "how often"),
        ({"frequency": "\x00"}, "how often"),
        ({"currency": "XYZ"}, "from the list"),
        ({"currency": "-"}, "Choose a currency"),
    ],
)
def test_what_is_not_accepted_says_what_to_do(changes: dict[str, str], sentence: str) -> None:
    form = choice_form(**changes)
    assert not form.is_valid()
    assert sentence in str(form.errors.as_text())


@pytest.mark.django_db
def test_a_currency_that_is_not_offered_is_refused(settings) -> None:
    settings.CURRENCIES = ["EUR"]
    assert not choice_form(currency="USD").is_valid()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("olena@example.org", "olena@example.org"),
        ("  olena@example.org \t", "olena@example.org"),
        ("\u200bolena@example.org\u2060", "olena@example.org"),
        ("olena@приклад.укр", "olena@xn--80aikifvh.xn--j1amh"),
        ("o'leary+gift@sub.example.org", "o'leary+gift@sub.example.org"),
    ],
)
def test_addresses_are_kept_as_people_have_them(typed: str, kept: str) -> None:
    form = PersonForm({"email": typed})
    assert form.is_valid(), form.errors
    assert form.person("uk").email == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Write your email address"),
        ("olena", "Add the @"),
        ("olena@", "Add the part after the @"),
        ("олена@example.org", "Latin letters"),
        ("\u212aateryna@example.org", "Latin letters"),
        ("\uff4flena@example.org", "Latin letters"),
        ("olena@\u2603.example", "Check the part after the @"),
        ("olena@example", "Check the part after the @"),
        ("ole na@example.org", "Check the address"),
        ("a@example.org\nBcc: b@example.org", "Check the address"),
        ("olena@exam\x00ple.org", "Check the address"),
        ("x" * 250 + "@example.org", "254 characters"),
    ],
)
def test_an_address_that_cannot_be_one_says_what_to_do(typed: str, sentence: str) -> None:
    form = PersonForm({"email": typed})
    assert not form.is_valid()
    assert sentence in form.errors["email"][0]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("olena@пошта.укр", "olena@xn--80a1acn3a.xn--j1amh"), ("olena@straße.de", "olena@xn--strae-oqa.de")],
)
def test_an_address_is_kept_with_its_domain_in_ascii(typed: str, kept: str) -> None:
    form = PersonForm({"email": typed})
    assert form.is_valid(), form.errors
    assert form.person("en").email == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  Олена\tКоваль ", "Олена Коваль"), ("Nguyễn Thị", "Nguyễn Thị"), ("a\x00b\r\nc", "a b c"), ("", "")]
    + [(unseen, "") for unseen in ("\u3164", "\u2800\u2800", "\u200b\u200c", "\u0301", "\u115f \u1160")]
    + [("O\u200blena", "Olena"), ("\u202eOlena", "Olena"), ("A\u0301ne", "\u00c1ne"), ("नमिता", "नमिता")],
)
def test_names_of_every_script_fit_on_a_line(typed: str, kept: str) -> None:
    form = PersonForm({"email": "o@example.org", "name": typed})
    assert form.is_valid(), form.errors
    assert form.person("en").name == kept


def test_a_name_has_an_end() -> None:
    assert "120" in PersonForm({"email": "o@example.org", "name": "x" * 121}).errors["name"][0]


def test_a_filled_in_trap_is_not_accepted() -> None:
    assert not PersonForm({"email": "o@example.org", "website": "https://spam.example"}).is_valid()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("o@gmial.com", "o@gmail.com"),
        ("o@gmail.con", "o@gmail.com"),
        ("o@Gmai.com", "o@gmail.com"),
        ("o@ukrnet", "o@ukr.net"),
        ("o@ukr.nte", "o@ukr.net"),
        ("o@gmail.ocm", "o@gmail.com"),
        ("o@UKR.NTE", "o@ukr.net"),
        ("o@gmail.com", ""),
        ("o@mail.com", ""),
        ("o@example.org", ""),
        ("gmial.com", ""),
        ("", ""),
    ],
)
def test_a_slip_in_a_usual_address_is_asked_about(typed: str, meant: str) -> None:
    assert likely_email(typed) == meant


@pytest.mark.parametrize(
    ("asked", "header", "currency"),
    [
        ("", "", "EUR"),
        ("usd", "uk-UA", "USD"),
        ("xn--80a1acn3a.xn--j1amh", "pl-PL,pl;q=0.9", "PLN"),
        ("", "uk-UA,uk;q=0.9,en-US;q=0.8", "UAH"),
        ("", "uk,en-US;q=0.7", "UAH"),
        ("", "en-GB,en;q=0.5", "GBP"),
        ("", "zh-Hant-JP", "JPY"),
        ("", "en", "EUR"),
        ("", "de-AT", "EUR"),
        ("", "pt-BR", "EUR"),
        ("", "*", "EUR"),
        ("", ";;;,\x00" * 2000, "EUR"),
    ],
)
def test_the_currency_follows_the_address_then_the_browser_then_the_site(
    asked: str, header: str, currency: str
) -> None:
    assert currency_for(asked, header) == currency


def test_only_offered_currencies_are_suggested(settings) -> None:
    settings.CURRENCIES = ["PLN", "EUR"]
    assert currency_for("USD", "uk-UA") == "PLN"


@pytest.mark.parametrize(
    ("frequency", "first", "times", "expected"),
    [
        ("month", date(2026, 1, 31), 1, date(2026, 2, 28)),
        ("month", date(2026, 1, 31), 2, date(2026, 3, 31)),
        ("month", date(2028, 1, 31), 1, date(2028, 2, 29)),
        ("month", date(2026, 12, 22), 1, date(2027, 1, 22)),
        ("month", date(2026, 11, 30), 3, date(2027, 2, 28)),
        ("year", date(2028, 2, 29), 1, date(2029, 2, 28)),
        ("year", date(2026, 11, 22), 1, date(2027, 11, 22)),
        ("once", date(2026, 11, 22), 1, None),
    ],
)
def test_next_dates_are_anchored_on_the_first(frequency: str, first: date, times: int, expected: date | None) -> None:
    assert next_on(frequency, first, times) == expected

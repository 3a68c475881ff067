"""Emails about money: who gets which one, once; the same facts in HTML and text; short and complete."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
from django.urls import resolve

from members import clock
from members.links import signed
from members.mail.rendering import render
from members.models import Message, Supporter
from payments.accounts import account as accounts
from payments.letters import drafts, endings, reminders
from payments.letters import failed as failed_letters
from payments.letters import gifts as gift_letters
from payments.models import Checkout, Payment, Subscription
from tests import factories
from tests.payments.letters.gift_rows import agreed, failed, first, given_once, renewal

NEWS = "https://courier.example"


@pytest.fixture(autouse=True)
def _newsroom(settings: Any, db: None) -> None:
    settings.SITE_URL = NEWS
    settings.LEGAL_NAME, settings.LEGAL_REGISTRATION = "The Courier NGO", "registration 00000000"


@pytest.fixture
def olena() -> Supporter:
    return factories.supporter(name="Olena Kovalenko", email="olena@example.org")


def kinds() -> list[str]:
    return sorted(Message.objects.values_list("kind", flat=True))


def every_letter(who: Supporter) -> list[Message]:
    """Make each of these emails, in each of its variants."""
    monthly, yearly, bank = agreed(who), agreed(who, "year"), agreed(who)
    monthly.membership = factories.membership(who, paid_through=monthly.renews_on)
    by_debit = first(bank, status="processing")
    made = [
        gift_letters.thank(given_once(who)),
        gift_letters.thank(first(monthly)),
        gift_letters.thanks_processing(by_debit),
        gift_letters.processing_failed(by_debit),
        gift_letters.thank(by_debit),
        gift_letters.processing_failed(renewal(bank, status="failed", next_attempt_at=clock.now())),
        gift_letters.receipt_recurring(renewal(monthly)),
        reminders.renewal_upcoming_year(accounts.of(yearly), 30),
        failed_letters.failed(failed(monthly), 1),
        failed_letters.failed(failed(monthly, failure_code="expired_card", next_attempt_at=None), 1),
        endings.cancelled(monthly, None),
        endings.ended(yearly),
        endings.ended_unpaid(monthly),
    ]
    assert all(made)
    return [message for message in made if message]


def visible(html: str) -> str:
    body = re.sub(r"(?s)<(style|title)\b.*?</\1>", " ", html)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_every_letter_is_short_light_and_whole(olena: Supporter) -> None:
    for message in every_letter(olena):
        letter = render(message)
        assert 5 < len(letter.subject) <= 55, message.kind
        assert len(letter.text.split()) <= 150, message.kind
        assert len(letter.html.encode()) <= 60_000, message.kind
        assert "The Courier NGO, registration 00000000" in letter.text
        assert "!" not in letter.text
        assert not re.search(r"\bNone\b|\{\{|\{%|  +,|\(\)", letter.text + visible(letter.html)), message.kind


def test_both_parts_carry_the_same_facts(olena: Supporter) -> None:
    for message in every_letter(olena):
        letter = render(message)
        html = visible(letter.html)
        for line in letter.text.splitlines():
            fact = re.fullmatch(r"(\S.*?\S) {2,}(.+)", line)
            if fact:
                assert f"{fact[1]} {' '.join(fact[2].split())}" in html, (message.kind, line)
        in_text = set(re.findall(r"https?://\S+", letter.text))
        assert in_text == {unescape(link) for link in re.findall(r'href="([^"]+)"', letter.html)}, message.kind
        assert letter.html.count('class="act') <= 1


def test_every_link_leads_somewhere_in_the_letters_language(olena: Supporter) -> None:
    olena.language = "uk"
    for message in every_letter(olena):
        found = re.findall(rf"{NEWS}(/[^\s?]*)\?(\S+)", render(message).text)
        assert found
        for path, query in found:
            assert resolve(path), message.kind
            assert query.endswith(f"lang={message.language}")


def test_a_gift_given_once_is_thanked_once(olena: Supporter) -> None:
    payment = given_once(olena)
    message = gift_letters.thank(payment)
    assert message is not None
    assert gift_letters.thank(payment) is None
    assert message.key == f"thanks_first_once:{checkout_of(payment).public_id}"
    text = render(message).text
    assert "€25.00, given once" in text
    assert "Nothing more will be charged." in text
    assert "/stop/" not in text


def test_a_new_patron_gets_the_terms_and_the_way_out(olena: Supporter) -> None:
    subscription = agreed(olena, renews_on=date(2026, 1, 20))
    message = gift_letters.thank(first(subscription))
    assert message is not None
    assert message.key == f"thanks_first_recurring:{checkout_of(subscription).public_id}"
    text = render(message).text
    assert "You give €10.00 every month, next on 20 January 2026, until you stop" in text
    assert f"{NEWS}/stop/{signed.sign('stop', str(subscription.public_id))}/" in text
    assert checkout_of(subscription).reference in text


def checkout_of(about: Payment | Subscription) -> Checkout:
    assert about.checkout is not None
    return about.checkout


def test_a_bank_debit_is_thanked_for_then_arrives(olena: Supporter) -> None:
    payment = first(agreed(olena), status="processing")
    assert gift_letters.thanks_processing(payment)
    message = gift_letters.thank(payment)
    assert gift_letters.thank(payment) is None
    assert kinds() == ["processing_done", "thanks_processing"]
    assert message is not None
    assert "until you stop" in render(message).text


def test_news_from_the_bank_that_comes_late_thanks_nobody_again(olena: Supporter) -> None:
    payment = first(agreed(olena))
    gift_letters.thank(payment)
    assert gift_letters.thanks_processing(payment) is None
    assert kinds() == ["thanks_first_recurring"]


def test_a_gift_without_a_checkout_of_ours_is_thanked_too(olena: Supporter) -> None:
    message = gift_letters.thank(factories.payment(olena))
    assert message is not None
    assert render(message).html


def test_every_renewal_has_its_receipt(olena: Supporter) -> None:
    subscription = agreed(olena)
    payments = [renewal(subscription, paid_at=datetime(2025, 12, day, 12, tzinfo=UTC)) for day in (1, 2)]
    for payment in payments * 2:
        gift_letters.receipt_recurring(payment)
    assert kinds() == ["receipt_recurring"] * 2
    assert render(Message.objects.earliest("pk")).subject == "Receipt: €10.00, 1 December 2025"


def test_a_first_debit_that_is_tried_again_by_itself_invites_to_no_second_gift(olena: Supporter) -> None:
    message = gift_letters.processing_failed(first(agreed(olena), status="failed", next_attempt_at=clock.now()))
    assert message is not None
    text = render(message).text
    assert ("/stop/" in text, "/support/details/" in text) == (True, False)


def test_a_first_debit_that_failed_can_be_tried_again(olena: Supporter) -> None:
    message = gift_letters.processing_failed(first(agreed(olena), status="failed"))
    assert message is not None
    assert f"{NEWS}/support/details/?frequency=month&amount=10&currency=EUR&again=" in render(message).text


def test_the_first_letter_speaks_as_the_page_did_and_later_ones_as_the_person_does(olena: Supporter) -> None:
    olena.language = "uk"
    olena.save()
    subscription = agreed(olena, language="en")
    thanks, receipt = gift_letters.thank(first(subscription)), gift_letters.receipt_recurring(renewal(subscription))
    assert thanks is not None
    assert receipt is not None
    assert (thanks.language, receipt.language) == ("en", "uk")


def test_the_level_is_named_where_there_is_more_than_one(olena: Supporter) -> None:
    subscription = agreed(olena)
    subscription.membership = factories.membership(olena)
    subscription.save()
    plain = gift_letters.receipt_recurring(renewal(subscription))
    factories.level()
    named = gift_letters.receipt_recurring(renewal(subscription))
    assert plain is not None
    assert named is not None
    assert "Level" not in render(plain).text
    assert re.search(r"Level +Patron", render(named).text)


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Olena Kovalenko", "Olena"),
        ("Анна-Марія К.", "Анна-Марія"),
        ("Мар'яна", "Мар'яна"),
        ("O’Neil", "O’Neil"),
        ("नमिता शर्मा", "नमिता"),
        ("A\u0301ne", "\u00c1ne"),
        ("Q\u0331ame", "Q\u0331ame"),
        ("O\u200blena", "Olena"),
        ("\u3164", ""),
        ("\u3164 Olena", "Olena"),
        ("\u0301\u0301", ""),
        ("\u200b", ""),
        ("\u202egnp.exe", ""),
        ("", ""),
        ("win.example.com now", ""),
        ("http://evil.example", ""),
        ("A" * 31, ""),
        ("x\r\nBcc:", "x"),
        ("<b>", ""),
        ("7", ""),
    ],
)
def test_only_a_name_is_greeted(name: str, greeted: str) -> None:
    assert drafts.greeting_name(Supporter(name=name)) == greeted


def test_what_is_frozen_stays(olena: Supporter) -> None:
    subscription = agreed(olena)
    message = gift_letters.thank(first(subscription))
    assert message is not None
    Subscription.objects.update(amount=9900)
    message.refresh_from_db()
    assert "€10.00" in render(message).text

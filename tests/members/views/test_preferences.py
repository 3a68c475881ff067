"""Preferences and unsubscribing: GET changes nothing, one click unsubscribes, emails about money are always sent."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from members import suppressions
from members.links import signed
from members.mail import choices, kinds
from members.mail.kinds import KINDS, Stream
from members.mail.rendering import as_email, render
from members.models import MailChoice, Message, Supporter, Suppression, TimelineEntry
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def olena() -> Supporter:
    return factories.supporter(name="Olena Kovalenko", email="olena@example.org")


def page_of(who: Supporter) -> str:
    return f"/preferences/{signed.sign('preferences', str(who.public_id))}/"


def unsubscribe_page(who: Supporter, kind: str = "anniversary") -> str:
    return f"/unsubscribe/{signed.sign('unsubscribe', f'{who.public_id}-{kind}')}/"


def wanted(who: Supporter) -> dict[str, bool]:
    return {choice.kind: choice.is_wanted for choice in choices.of(who)}


def test_every_kind_that_is_a_choice_has_words() -> None:
    relationship = [kind for kind, how in KINDS.items() if how.stream == Stream.RELATIONSHIP]
    assert sorted(choices.WORDS) == sorted(relationship) == sorted(choices.kinds())
    assert len(relationship) >= 2


def test_what_is_not_chosen_is_as_the_kind_says(olena: Supporter) -> None:
    assert wanted(olena) == {"renewal_upcoming_month": False, "anniversary": True}


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(olena: Supporter, method: str) -> None:
    for address in (page_of(olena), unsubscribe_page(olena)):
        for _number in range(20):
            assert getattr(Client(), method)(address).status_code == 200
    assert not MailChoice.objects.exists()
    assert not TimelineEntry.objects.exists()


def test_pages_name_nobody_set_no_cookie_and_are_told_to_nobody(olena: Supporter) -> None:
    for address in (page_of(olena), unsubscribe_page(olena)):
        answer = Client().get(address)
        assert not re.search("olena|koval|example.org", answer.content.decode().lower())
        assert (answer["Referrer-Policy"], answer.cookies) == ("no-referrer", {})
        assert "no-store" in answer["Cache-Control"]


def test_one_click_of_a_mail_program_leaves_at_once(olena: Supporter) -> None:
    strict = Client(enforce_csrf_checks=True)
    body = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}
    for _twice in range(2):
        answer = strict.post(unsubscribe_page(olena), **body, headers={"Origin": "null"})
        assert answer.status_code == 200
        assert not answer.cookies
    assert wanted(olena)["anniversary"] is False
    assert TimelineEntry.objects.filter(action="letters.chosen").count() == 1


def test_one_click_never_runs_out(olena: Supporter) -> None:
    with time_machine.travel("2020-01-01 12:00Z"):
        address = unsubscribe_page(olena)
    assert Client().post(address).status_code == 200
    assert wanted(olena)["anniversary"] is False


@pytest.mark.parametrize("kind", ["receipt_recurring", "no_such", "staff_alert"])
def test_nobody_is_taken_off_what_is_no_choice(olena: Supporter, kind: str) -> None:
    assert Client().post(unsubscribe_page(olena, kind)).status_code == 404


@pytest.mark.parametrize("token", ["x", "a.b", "ü", "%00"])
def test_any_other_token_is_not_found(olena: Supporter, token: str) -> None:
    for page in ("unsubscribe", "preferences"):
        for method in ("get", "post"):
            assert getattr(Client(), method)(f"/{page}/{token}/").status_code == 404
    assert Client().get(page_of(olena).replace("/preferences/", "/unsubscribe/")).status_code == 404


def test_everything_on_the_page_is_saved_and_said(olena: Supporter) -> None:
    fields = {"letters": ["renewal_upcoming_month"], "language": "uk", "is_discreet": "1"}
    answer = Client(enforce_csrf_checks=True).post(page_of(olena), fields)
    body = answer.content.decode()
    assert (answer.status_code, 'data-state="saved"' in body) == (200, True)
    olena.refresh_from_db()
    assert (olena.language, olena.is_discreet) == ("uk", True)
    assert wanted(olena) == {"renewal_upcoming_month": True, "anniversary": False}
    assert re.search(r'value="renewal_upcoming_month" checked', body)
    assert not re.search(r'value="anniversary" checked', body)


def test_stop_everything_optional_saves_the_rest_of_the_page_too(olena: Supporter) -> None:
    fields = {"stop_all": "1", "letters": ["anniversary"], "language": "uk", "is_discreet": "1"}
    Client().post(page_of(olena), fields)
    olena.refresh_from_db()
    assert set(wanted(olena).values()) == {False}
    assert (olena.language, olena.is_discreet) == ("uk", True)


def test_stop_everything_optional_alone_leaves_language_and_discretion(olena: Supporter) -> None:
    Client().post(page_of(olena), {"language": "uk", "is_discreet": "1"})
    Client().post(page_of(olena), {"stop_all": "1"})
    olena.refresh_from_db()
    assert set(wanted(olena).values()) == {False}
    assert (olena.language, olena.is_discreet) == ("uk", True)


@pytest.mark.parametrize("fields", [{"language": "xx"}, {"language": "\x00"}, {"letters": "receipt_recurring"}, {}])
def test_rubbish_never_answers_with_an_error(olena: Supporter, fields: dict[str, str]) -> None:
    assert Client().post(page_of(olena), fields).status_code == 200
    olena.refresh_from_db()
    assert olena.language == "en"
    assert not MailChoice.objects.exclude(kind__in=choices.kinds()).exists()


def test_an_old_link_offers_a_fresh_one(olena: Supporter) -> None:
    with time_machine.travel("2020-01-01 12:00Z"):
        address = page_of(olena)
    assert Client().get(address).status_code == 410
    assert Client().post(address, {"letters": []}).status_code == 410
    assert not MailChoice.objects.exists()
    Client().post(address, {"fresh": "1"})
    assert Message.objects.get().kind == "fresh_link"


@pytest.mark.parametrize(("reason", "is_believed"), [("bounced", True), ("soft", True), ("complained", False)])
def test_who_says_that_mail_arrives_now_is_believed_where_it_had_come_back(
    olena: Supporter, reason: str, is_believed: bool
) -> None:
    with time_machine.travel("2020-01-01 12:00Z"):
        address = page_of(olena)
    suppressions.suppress(olena.email, Suppression.Reason(reason))
    Client().post(address, {"fresh": "1"})
    assert suppressions.active_suppression(olena.email), "requesting a link alone lifts nothing"
    Client().post(address, {"fresh": "1", "receives": "1"})
    assert (suppressions.active_suppression(olena.email) is None) is is_believed


def test_letters_that_are_a_choice_carry_the_unsubscribe_page(olena: Supporter, settings: Any, tmp_path: Any) -> None:
    settings.SITE_URL, settings.CONTACT_EMAIL = "https://courier.example", "people@courier.example"
    message = letter("anniversary", olena, settings, tmp_path)
    email = as_email(message, render(message)).message()
    https, mailto = re.fullmatch(r"<(https://\S+)>,\s*<(mailto:\S+)>", email["List-Unsubscribe"]).groups()
    assert mailto == "mailto:people@courier.example?subject=unsubscribe%20anniversary"
    assert email["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "olena" not in email["List-Unsubscribe"]
    assert https in render(message).text
    path = https.removeprefix("https://courier.example")
    assert Client().post(path, data="List-Unsubscribe=One-Click", content_type="text/plain").status_code == 200
    assert wanted(olena)["anniversary"] is False


def test_letters_about_money_carry_none_and_the_page_of_choices(olena: Supporter, settings: Any, tmp_path: Any) -> None:
    message = letter("receipt_recurring", olena, settings, tmp_path)
    drawn = render(message)
    assert as_email(message, drawn).message()["List-Unsubscribe"] is None
    assert page_of(olena) in drawn.text
    assert "/unsubscribe/" not in drawn.text + drawn.html


def write(kind: str, settings: Any, folder: Any) -> None:
    own = folder / "emails" / kind
    own.mkdir(parents=True, exist_ok=True)
    (own / "subject.txt").write_text("A fact")
    for part in ("txt", "html"):
        (own / f"body.{part}").write_text(f'{{% extends "emails/layout.{part}" %}}{{% block facts %}}{{% endblock %}}')
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**engine, "DIRS": [folder, *engine["DIRS"]]}]


def letter(kind: str, who: Supporter, settings: Any, folder: Any) -> Message:
    write(kind, settings, folder)
    how = kinds.of(kind)
    values = {"stream": how.stream, "to_email": who.email, "language": "en", "context": {"privacy_url": "https://x/"}}
    return Message.objects.create(kind=kind, key=f"{kind}:1", supporter=who, **values)


class TestDiscreet:
    @pytest.fixture
    def drawn(self, olena: Supporter, settings: Any, tmp_path: Any) -> tuple[Any, Any]:
        settings.SITE_NAME, settings.LEGAL_NAME, settings.DISCREET_FROM_NAME = "The Courier", "An association", "Post"
        settings.DEFAULT_FROM_EMAIL = "The Courier <post@mail.example>"
        olena.is_discreet = True
        message = letter("receipt_recurring", olena, settings, tmp_path)
        drawn = render(message)
        return drawn, as_email(message, drawn).message()

    def test_subject_sender_and_heading_tell_nothing(self, drawn: tuple[Any, Any]) -> None:
        letter, email = drawn
        assert letter.subject == "Your receipt"
        assert email["From"] == "Post <post@mail.example>"
        assert not any("The Courier" in value for _name, value in email.items())
        assert "The Courier" not in letter.html.split("</h1>")[0]

    def test_others_are_told_who_writes(self, olena: Supporter, settings: Any, tmp_path: Any) -> None:
        settings.SITE_NAME = "The Courier"
        message = letter("receipt_recurring", olena, settings, tmp_path)
        assert render(message).subject == "A fact"
        assert "The Courier" in render(message).html

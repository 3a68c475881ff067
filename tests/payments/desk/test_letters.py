"""The desk's pages about emails: a list of all, each as invented people get it, and a test email to oneself only."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from members.mail import sweep
from members.models import Message, Supporter
from payments.desk.letters import TESTS_AN_HOUR
from payments.desk.mail_as_sent import by
from payments.desk.samples.catalogue import SAMPLES
from tests import factories

pytestmark = pytest.mark.django_db
ALL = "/admin/members/message/letters/"
ONE = f"{ALL}thanks_first_recurring/"


@pytest.fixture
def desk(client: Client) -> Client:
    return sign_in(client, factories.staff(email="marta@newsroom.example"))


def sign_in(client: Client, user: Any) -> Client:
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, request_id: str = "", kind: str = "thanks_first_recurring", query: str = "") -> Any:
    return client.post(f"{ALL}{kind}/test/?{query}", {"request_id": request_id or str(uuid.uuid4())}, follow=True)


def test_the_list_has_every_letter_with_its_subject_in_the_language_asked_for(desk: Client) -> None:
    english, ukrainian = page(desk, f"{ALL}?language=en"), page(desk, f"{ALL}?language=uk")
    for kind in SAMPLES:
        assert f"{ALL}{kind}/?language=en" in english
    assert "You are a patron. Thank you." in english
    assert "You are a patron. Thank you." not in ukrainian
    assert "cannot be written" not in english + ukrainian


def test_the_desk_leads_there_and_says_where_one_is(desk: Client) -> None:
    link = rf'<a href="{ALL}"( aria-current="\w+")?>Letters</a>'
    assert (found := re.search(link, page(desk, "/admin/")))
    assert found[1] is None
    shown = page(desk, ALL)
    assert (found := re.search(link, shown))
    assert found[1]
    assert shown.count("aria-current") == 1
    assert 'aria-current="page">Messages' in page(desk, reverse("admin:members_message_changelist"))


def test_a_letter_is_shown_with_what_a_list_of_mails_shows_of_it(desk: Client) -> None:
    shown = page(desk, f"{ONE}?person=yen&language=en")
    assert "You are a patron. Thank you." in shown
    assert "You give ¥1,500 every month" in shown
    assert re.search(r"\d+ words", shown)
    assert "KB" in shown.replace("\xa0", " ")
    assert re.search(r'<iframe class="phone" sandbox src="[^"]+person=yen', shown)


def test_as_plain_text(desk: Client) -> None:
    shown = page(desk, f"{ONE}?part=text&case=year")
    assert "<iframe" not in shown
    assert "€100.00 every year" in shown
    assert re.search(r"/stop/…/", shown)


def test_the_frame_can_do_nothing_and_nobody_else_may_frame_it(desk: Client) -> None:
    answer = desk.get(f"{ONE}frame/")
    policy, letter = answer["Content-Security-Policy"], answer.content.decode()
    assert "frame-ancestors 'self'" in policy
    assert "script-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "Olena" in letter
    assert 'style="' not in letter
    assert "frame-src 'self'" in desk.get(ONE)["Content-Security-Policy"]


def test_day_and_night_are_what_was_chosen_and_not_what_the_device_prefers(desk: Client) -> None:
    day, night = (page(desk, f"{ONE}frame/?scheme={scheme}") for scheme in ("light", "dark"))
    assert "@media not all" in day
    assert "@media all" in night
    for letter, scheme in ((day, "light"), (night, "dark")):
        assert "prefers-color-scheme" not in letter
        assert f'name="color-scheme" content="{scheme}"' in letter
    assert by("dark", "@media (prefers-color-scheme: dark) {}") == "@media all {}"


def test_what_is_no_choice_is_the_usual_one(desk: Client) -> None:
    assert page(desk, f"{ONE}?person=%00&language=xx&case=../..&scheme=<b>&part=").count("<iframe") == 2
    assert desk.get(f"{ALL}nothing/").status_code == 404
    assert desk.get(f"{ALL}layout/").status_code == 404
    assert "Ukrainian" in page(desk, f"{ONE}?person=ukrainian")


def test_words_of_the_newsroom_that_are_broken_are_told_and_break_nothing(
    desk: Client, settings: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "emails" / "cancelled"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("{% no such tag %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    assert "This letter cannot be written" in page(desk, f"{ALL}?language=en")
    assert "raise an error" in page(desk, f"{ALL}cancelled/")
    assert desk.get(f"{ALL}cancelled/frame/").status_code == 404
    assert "cannot be written" in send(desk, kind="cancelled").content.decode()
    assert Message.objects.count() == 0


def test_looking_leaves_nothing_behind(desk: Client) -> None:
    for address in (ALL, ONE, f"{ONE}frame/", f"{ONE}test/"):
        page(desk, address)
    assert (Message.objects.count(), Supporter.objects.count(), LogEntry.objects.count()) == (0, 0, 0)


def test_a_test_goes_to_oneself_says_so_and_is_written_down(desk: Client, mailoutbox: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert "marta@newsroom.example" in page(desk, f"{ONE}test/")
    answer = send(desk, query="person=ukrainian&language=uk")
    assert "on its way to marta@newsroom.example" in answer.content.decode()
    row = Message.objects.get()
    assert row.key.startswith("test:thanks_first_recurring:")
    assert (row.kind, row.to_email, row.supporter, row.stream) == ("test", "marta@newsroom.example", None, "staff")
    assert LogEntry.objects.get().object_id == str(row.pk)
    sweep.send_due()
    [sent] = mailoutbox
    assert sent.to == ["marta@newsroom.example"]
    assert re.match(r"\w+: ", sent.subject)
    assert "Мар’яно" in sent.body
    assert "<!DOCTYPE html>" in sent.alternatives[0][0]


def test_a_second_click_sends_nothing_more(desk: Client) -> None:
    request_id = str(uuid.uuid4())
    for _ in range(2):
        assert send(desk, request_id).status_code == 200
    assert Message.objects.count() == 1
    assert LogEntry.objects.count() == 1


def test_tests_are_limited(desk: Client) -> None:
    for _ in range(TESTS_AN_HOUR):
        assert "on its way" in send(desk).content.decode()
    assert "Try again later" in send(desk).content.decode()
    assert Message.objects.count() == TESTS_AN_HOUR


def test_without_an_address_or_a_wish_nothing_is_sent(client: Client) -> None:
    sign_in(client, factories.staff(email=""))
    assert "no address" in page(client, f"{ONE}test/")
    assert "no address" in send(client).content.decode()
    sign_in(client, factories.staff("petro", email="petro@newsroom.example"))
    assert "Nothing was sent" in send(client, "not one").content.decode()
    assert Message.objects.count() == 0


def test_who_may_only_look_sends_nothing_and_who_may_not_look_sees_nothing(client: Client) -> None:
    sign_in(client, factories.staff("petro", "members.view_message", email="petro@newsroom.example"))
    assert "Send me a test" not in page(client, ONE)
    assert client.get(f"{ONE}test/").status_code == 403
    assert send(client).status_code == 403
    sign_in(client, factories.staff("lesia", "payments.view_payment", email="lesia@newsroom.example"))
    for address in (ALL, ONE, f"{ONE}frame/", f"{ONE}test/"):
        assert client.get(address).status_code == 403
    assert "Letters" not in page(client, "/admin/")
    client.logout()
    assert client.get(ALL).status_code == 302
    assert Message.objects.count() == 0

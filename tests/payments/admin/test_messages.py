"""An email as staff see it: its words and looks, on a page without scripts, without the reader's own links."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from payments.desk.mail_as_sent import as_page, without_keys
from tests import colleagues, factories


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(factories.staff(), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_personal_links_lose_what_makes_them_work() -> None:
    text = "https://a.org/stop/abc:DEF-_1/?lang=uk https://a.org/support/return/x:y/ /me/sign-in/tok/ /support/details/"
    assert without_keys(text) == (
        "https://a.org/stop/…/?lang=uk https://a.org/support/return/…/ /me/sign-in/…/ /support/details/"
    )


def test_inline_styles_become_one_sheet_and_cannot_leave_it() -> None:
    letter = """<html><head><style>p{margin:0}</style></head><body><p style="color: red; font: 1px &quot;A&quot;">a</p>
    <p style='top:0}</style><script>x</script>'>b</p></body></html>"""
    page = as_page(letter, "N0nce")
    assert 'style="' not in page
    assert '<style nonce="N0nce">p{margin:0}</style>' in page
    assert '[data-look="0"]{color: red; font: 1px "A"}' in page
    assert page.count("</style>") == 2
    assert page.index("[data-look") < page.index("</head>")


def test_a_letter_without_a_head_keeps_its_looks() -> None:
    assert '[data-look="0"]{color:red}' in as_page('<p style="color:red">a</p>', "n")


@pytest.mark.django_db
def test_the_letter_opens_on_a_page_that_can_do_nothing(desk: Client) -> None:
    sent = factories.message(
        factories.supporter(), body_html='<p style="color:red">Hi <a href="/stop/key:1/">x</a></p>'
    )
    answer = desk.get(reverse("admin:members_message_letter", args=[sent.pk]))
    policy, page = answer["Content-Security-Policy"], answer.content.decode()
    nonce = re.search(r'<style nonce="([^"]+)">', page)
    assert nonce
    assert f"style-src 'nonce-{nonce[1]}'" in policy
    assert "sandbox" in policy
    assert "script-src 'none'" in policy
    assert "unsafe" not in policy
    assert "key:1" not in page
    shown = desk.get(reverse("admin:members_message_change", args=[sent.pk])).content.decode()
    assert "Thank you." in shown


@pytest.mark.django_db
def test_a_letter_that_is_not_written_yet_has_no_page(desk: Client) -> None:
    waiting = factories.message(factories.supporter(), state="pending", body_html="", body_text="", sent_at=None)
    assert desk.get(reverse("admin:members_message_letter", args=[waiting.pk])).status_code == 404
    assert desk.get(reverse("admin:members_message_letter", args=[waiting.pk + 1])).status_code == 404


@pytest.mark.django_db
def test_letters_are_for_those_who_may_see_messages(client: Client) -> None:
    client.force_login(
        factories.staff("petro", "payments.view_payment"), backend="django.contrib.auth.backends.ModelBackend"
    )
    sent = factories.message(factories.supporter())
    assert client.get(reverse("admin:members_message_letter", args=[sent.pk])).status_code == 403


@pytest.mark.django_db
def test_letters_are_found_by_the_person_by_key_and_by_the_address_of_somebody_unknown(desk: Client) -> None:
    mine = factories.message(factories.supporter(name="Олена", email="olena@example.org"))
    stranger = factories.message(None, to_email="stranger@example.org", key="sign_in:1")
    for term, row in (("олена", mine), ("OLENA@", mine), ("Stranger@", stranger), ("sign_in:1", stranger)):
        answer = colleagues.search(desk, reverse("admin:members_message_changelist"), term)
        assert [found.pk for found in answer.context["cl"].result_list] == [row.pk], term

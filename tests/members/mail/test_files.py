"""Emails as files and the pages that show them: only complete files, no way out of the folder, only with DEBUG on."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from members.mail import files
from members.models import Message
from members.tasks import send_message
from tests.members.mail.test_sending import queued


@pytest.fixture(autouse=True)
def _files(settings: Any) -> None:
    settings.EMAIL_BACKEND = "members.mail.files.EmailBackend"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def write(subject: str = "Thank you", to: str = "olena@example.org") -> str:
    email = EmailMultiAlternatives(subject, "In words.", "courier@example.org", [to])
    email.attach_alternative('<html><head></head><body><a href="https://x.example/">On</a></body></html>', "text/html")
    files.EmailBackend().send_messages([email])
    return files.newest()[0].name


@pytest.fixture
def _debug(settings: Any) -> None:
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["testserver"]


def test_one_file_a_letter_for_nobody_else_to_read(settings: Any) -> None:
    names = [write(subject=f"Letter {number}") for number in range(3)]
    folder = Path(settings.MAIL_DIR)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == [f"{name}.eml" for name in names]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert [mail.subject for mail in files.newest()] == ["Letter 2", "Letter 1", "Letter 0"]


def test_a_message_goes_to_a_file_when_no_server_is_set(db: None, settings: Any) -> None:
    message = queued("thanks_first_recurring")
    send_message(message.pk)
    message.refresh_from_db()
    assert message.state == "sent"
    [letter] = files.newest()
    assert (letter.to, letter.subject, letter.text) == (message.to_email, message.subject, message.body_text)
    assert not re.search("thanks|reader", letter.name)


def test_a_full_disk_is_tried_again(db: None, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")
    message = queued("thanks_first_recurring")
    send_message(message.pk)
    message.refresh_from_db()
    assert (message.state, message.unanswered) == ("pending", 0)


@pytest.mark.usefixtures("_debug")
def test_the_list_and_the_letter(client: Client) -> None:
    write("First")
    name = write("Second", "reader@example.org")
    page = client.get("/demo/mail/").content.decode()
    assert page.index("Second") < page.index("First")
    assert f'href="/demo/mail/{name}/"' in page
    shown = client.get(f"/demo/mail/{name}/")
    assert "reader@example.org" in shown.content.decode()
    assert f'src="/demo/mail/{name}/html/"' in shown.content.decode()
    assert "frame-src 'self'" in shown["Content-Security-Policy"]


@pytest.mark.usefixtures("_debug")
def test_the_letter_itself_may_style_itself_and_nothing_else(client: Client) -> None:
    response = client.get(f"/demo/mail/{write()}/html/")
    rules = set(response["Content-Security-Policy"].split("; "))
    assert {"default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'", "script-src 'none'"} <= rules
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_top">' in response.content.decode()


@pytest.mark.usefixtures("_debug")
def test_no_letter_yet(client: Client) -> None:
    assert client.get("/demo/mail/").status_code == 200


@pytest.mark.usefixtures("_debug")
@pytest.mark.parametrize(
    "name", ["..%2F..%2Fclock", "%2e%2e", "x", "0" * 20, "00000000000000000000-00000000", "%00", "é" * 300]
)
def test_other_names_find_nothing(client: Client, settings: Any, name: str) -> None:
    write()
    (Path(settings.DATA_DIR) / "clock.eml").write_text("secret")
    for address in (f"/demo/mail/{name}/", f"/demo/mail/{name}/html/"):
        assert client.get(address).status_code == 404


def test_nothing_of_it_outside_development(client: Client) -> None:
    name = write()
    for address in ("/demo/mail/", f"/demo/mail/{name}/", f"/demo/mail/{name}/html/"):
        assert client.get(address).status_code == 404


def test_a_letter_is_kept_in_the_row_as_well(db: None) -> None:
    message = queued()
    send_message(message.pk)
    assert Message.objects.get().body_html == files.newest()[0].html.replace("\r\n", "\n")

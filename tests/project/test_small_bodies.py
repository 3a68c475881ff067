"""A body larger than any form is refused before it is read, and no page takes a file."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory

MIB = 1024 * 1024


def test_a_body_above_a_mebibyte_is_413_at_every_door(db: None) -> None:
    for path in ("/support/details/", "/support/", "/admin/login/", "/unsubscribe/x/", "/nowhere/"):
        answer = Client().post(path, b"x" * (MIB + 1), "application/x-www-form-urlencoded")
        assert answer.status_code == 413, path
        assert "<h1>" in answer.content.decode()


def test_a_form_of_just_a_mebibyte_is_read(db: None) -> None:
    body = b"email=" + b"x" * (MIB - 6)
    assert Client().post("/support/details/", body, "application/x-www-form-urlencoded").status_code != 413


def test_a_length_that_is_none_is_no_error(db: None) -> None:
    assert Client().post("/support/details/", {"email": "x"}, CONTENT_LENGTH="abc").status_code < 500


def test_a_file_is_dropped_and_the_form_is_answered(db: None) -> None:
    sent = {
        "frequency": "once",
        "amount": "10",
        "currency": "EUR",
        "email": "x",
        "cv": SimpleUploadedFile("a", b"b" * 9),
    }
    assert Client().post("/support/details/", sent).status_code == 422
    request = RequestFactory().post("/", {"a": "1", "cv": SimpleUploadedFile("a.exe", b"b" * 9)})
    assert (request.POST["a"], len(request.FILES)) == ("1", 0)

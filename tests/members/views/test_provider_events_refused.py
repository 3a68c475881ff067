"""Refused and malformed delivery reports: never an internal error, nothing stored, no personal data in the log."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as checked
from hypothesis import strategies as st

from members.models import DeliveryReport, Message
from tests.members.views.test_provider_events import ODD, RUBBISH, _open, bounce, post, sent  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("secret", ["", "provider:wrong", "x", "provider:a long secret "])
def test_without_the_secret_nothing_is_stored(secret: str) -> None:
    assert post(bounce(sent()), secret=secret).status_code == 403
    assert not DeliveryReport.objects.exists()


def test_without_a_secret_of_ours_the_door_is_closed(settings: Any) -> None:
    settings.ANYMAIL_WEBHOOK_SECRET = ""
    assert post(bounce(sent())).status_code == 404
    assert post(bounce(sent()), secret="").status_code == 404
    assert not DeliveryReport.objects.exists()


@pytest.mark.parametrize("provider", ["nobody", "../stripe", "resend", "sendgrid/inbound", "postmark/tracking"])
def test_no_such_provider(provider: str) -> None:
    assert post({}, provider).status_code in (400, 403, 404)


@pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning")
@pytest.mark.parametrize("body", RUBBISH)
def test_rubbish_is_never_an_error_of_ours(body: bytes) -> None:
    sent()
    for provider in ("postmark", "mailgun", "sendgrid", "amazon_ses", "brevo"):
        assert post(body, provider).status_code in (200, 400, 403, 404)
    assert not DeliveryReport.objects.exists()


@checked(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(bounce(Message(provider_id="x", to_email="y")))), ODD))
def test_a_report_with_odd_parts_is_never_an_error_of_ours(parts: dict[str, Any]) -> None:
    message = sent()
    assert post(bounce(message) | parts).status_code in (200, 400)


def test_looking_at_the_door_is_allowed_and_reading_is_not() -> None:
    assert Client().head("/mail/events/postmark/tracking/").status_code == 200
    assert Client().get("/mail/events/postmark/tracking/").status_code == 405


def test_the_log_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="hromada")
    post(bounce(sent()))
    post(b"{")
    assert caplog.records
    assert "example.org" not in caplog.text

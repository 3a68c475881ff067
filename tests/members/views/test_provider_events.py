"""Delivery reports over HTTP, in the providers' own formats: stored once, in any order, only with the secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from hypothesis import strategies as st

from members import suppressions
from members.models import DeliveryReport, Message, Supporter, Suppression, TimelineEntry
from tests import factories

pytestmark = pytest.mark.django_db

SECRET, SIGNING_KEY = "provider:a long secret", "signing-key-of-a-test"
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.ANYMAIL_WEBHOOK_SECRET = SECRET
    settings.SERVICE_MAIL = {"connection": {"backend": "anymail.backends.postmark.EmailBackend"}, "extra": {}}
    mailgun = {"MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY, "MAILGUN_WEBHOOK_SECRET": SECRET}
    settings.ANYMAIL = {**settings.ANYMAIL, **mailgun}


def post(body: object, provider: str = "postmark", secret: str = SECRET) -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    login = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}
    return Client(raise_request_exception=False).post(
        f"/mail/events/{provider}/tracking/", content, content_type="application/json", headers=login
    )


def sent(email: str = "olena@example.org", who: Supporter | None = None, **values: Any) -> Message:
    ordinary = {"to_email": email, "provider_id": f"0a129aee-e1cd-480d-b08d-{next(_numbers):012d}"}
    return factories.message(who, **{**ordinary, **values})


def delivered(message: Message) -> dict[str, Any]:
    return {
        "RecordType": "Delivery",
        "ServerID": 23,
        "MessageStream": "outbound",
        "MessageID": message.provider_id,
        "Recipient": message.to_email,
        "Tag": "service",
        "DeliveredAt": "2026-11-20T12:00:00Z",
        "Details": "250 2.0.0 OK",
        "Metadata": {"message": str(message.pk)},
    }


def bounce(message: Message, kind: str = "HardBounce", number: int | None = None) -> dict[str, Any]:
    return {
        "RecordType": "Bounce",
        "ID": number or 692_560_173 + next(_numbers),
        "Type": kind,
        "TypeCode": 1,
        "Name": "Hard bounce",
        "Tag": "service",
        "MessageID": message.provider_id,
        "ServerID": 23,
        "MessageStream": "outbound",
        "Description": "The server was unable to deliver your message.",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": message.to_email,
        "From": "courier@example.org",
        "BouncedAt": timezone.now().isoformat(),
        "DumpAvailable": True,
        "Inactive": True,
        "CanActivate": True,
        "Metadata": {"message": str(message.pk)},
    }


def complaint(message: Message) -> dict[str, Any]:
    return bounce(message, "SpamComplaint") | {"RecordType": "SpamComplaint", "TypeCode": 512}


def mailgun(message: Message, event: str, **values: Any) -> dict[str, Any]:
    token, at = hashlib.sha256(str(next(_numbers)).encode()).hexdigest()[:50], str(int(timezone.now().timestamp()))
    signature = hmac.new(SIGNING_KEY.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": at, "token": token, "signature": signature},
        "event-data": {
            "event": event,
            "id": f"ev{next(_numbers)}",
            "timestamp": timezone.now().timestamp(),
            "recipient": message.to_email,
            "tags": ["service"],
            "user-variables": {"message": str(message.pk)},
            "message": {"headers": {"message-id": message.provider_id.strip("<>"), "to": message.to_email}},
            "delivery-status": {"code": 550, "message": "No such mailbox", "description": ""},
            **values,
        },
    }


def delivery(message: Message) -> str:
    message.refresh_from_db()
    return message.delivery


def test_delivered_is_written_down() -> None:
    message = sent()
    assert post(delivered(message)).status_code == 200
    assert delivery(message) == "delivered"
    report = DeliveryReport.objects.get()
    assert (report.message, report.what, report.words) == (message, "delivered", "250 2.0.0 OK")


def test_the_same_report_twice_is_stored_once() -> None:
    message = sent()
    for body in [delivered(message), bounce(message, number=7)] * 3:
        post(body)
    assert DeliveryReport.objects.count() == 2
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize("order", list(itertools.permutations(["delay", "deliver", "bounce", "complain"])))
def test_in_any_order_the_worst_stands(order: tuple[str, ...]) -> None:
    message = sent()
    bodies = {
        "delay": bounce(message, "Transient"),
        "deliver": delivered(message),
        "bounce": bounce(message),
        "complain": complaint(message),
    }
    for name in order:
        post(bodies[name])
    assert delivery(message) == "complained"
    assert DeliveryReport.objects.count() == 4


@pytest.mark.parametrize("first", ["bounce", "deliver"])
def test_delivered_after_a_bounce_is_still_a_bounce(first: str) -> None:
    message = sent()
    bodies = [bounce(message), delivered(message)]
    for body in bodies if first == "bounce" else reversed(bodies):
        post(body)
    assert delivery(message) == "bounced"
    assert suppressions.active_suppression("Olena@Example.org")


def test_a_delay_is_over_once_it_is_delivered() -> None:
    message = sent()
    post(bounce(message, "Transient"))
    assert delivery(message) == "delayed"
    post(delivered(message))
    assert delivery(message) == "delivered"
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(("kind", "reason"), [("HardBounce", "bounced"), ("SpamComplaint", "complained")])
def test_what_will_never_arrive_is_not_sent_to_any_more(kind: str, reason: str) -> None:
    who = factories.supporter(email="olena@example.org")
    post(bounce(sent(who=who), kind))
    assert Suppression.objects.get().reason == reason
    assert TimelineEntry.objects.get().action == "address.suppressed"


def test_six_soft_bounces_within_thirty_days_are_enough() -> None:
    for number in range(1, 7):
        assert not suppressions.active_suppression("olena@example.org"), number
        post(bounce(sent(), "SoftBounce"))
    assert Suppression.objects.get().reason == "soft"


def test_soft_bounces_of_one_letter_or_of_long_ago_or_that_arrived_count_little() -> None:
    message = sent()
    for _number in range(8):
        post(bounce(message, "Transient"))
    for _number in range(8):
        old = bounce(sent(), "SoftBounce") | {"BouncedAt": (timezone.now() - timedelta(days=31)).isoformat()}
        post(old)
    for _number in range(8):
        arrived = sent()
        post(bounce(arrived, "Transient"))
        post(delivered(arrived))
    assert not Suppression.objects.exists()


def test_a_lifted_suppression_begins_to_count_anew() -> None:
    for _number in range(6):
        post(bounce(sent(), "SoftBounce"))
    suppressions.lift(Suppression.objects.get(), factories.staff())
    post(bounce(sent(), "SoftBounce"))
    assert suppressions.active_suppression("olena@example.org") is None


def test_mailgun_s_shapes() -> None:
    hard, soft, spam = (sent(f"{name}@example.org", provider_id=f"<2026{name}@mg.courier.example>") for name in "abc")
    bodies = [
        mailgun(hard, "failed", severity="permanent", reason="bounce"),
        mailgun(soft, "failed", severity="temporary", reason="generic"),
        mailgun(spam, "delivered"),
        mailgun(spam, "complained"),
    ]
    for body in bodies:
        assert post(body, "mailgun").status_code == 200
    assert [delivery(message) for message in (hard, soft, spam)] == ["bounced", "delayed", "complained"]
    assert set(Suppression.objects.values_list("email", "reason")) == {
        ("a@example.org", "bounced"),
        ("c@example.org", "complained"),
    }


def test_mailgun_s_signature_is_checked_too() -> None:
    body = mailgun(sent(), "complained")
    body["signature"]["signature"] = "0" * 64
    assert post(body, "mailgun").status_code == 403
    assert not DeliveryReport.objects.exists()


def test_what_nobody_knew_is_known_once_the_provider_tells() -> None:
    message = factories.message(to_email="olena@example.org", state="unknown", sent_at=None, error="timed out")
    post(delivered(message) | {"MessageID": "never-kept"})
    message.refresh_from_db()
    assert (message.state, message.provider_id, message.error) == ("sent", "never-kept", "")


def test_another_installation_s_number_is_not_taken_for_ours() -> None:
    message = factories.message(to_email="olena@example.org")
    post(delivered(message) | {"MessageID": "other", "Recipient": "somebody@example.org"})
    assert delivery(message) == ""
    assert not DeliveryReport.objects.exists()


RUBBISH = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"1",
    b"\xff\xfe",
    b'"x"',
    b'{"RecordType": []}',
    b'{"RecordType": "Bounce", "ID": {}}',
    b'{"RecordType": "Delivery", "DeliveredAt": 7}',
    b'{"RecordType": "Delivery", "MessageID": ["x"]}',
    b'{"RecordType": "Bounce", "Type": "HardBounce", "MessageID": "\\u0000", "Email": "\\ud800"}',
    b'{"RecordType": "Bounce", "Type": "HardBounce", "Metadata": 7}',
    b'{"FromFull": {}}',
    b"[" * 5000,
    b'{"RecordType": "Bounce", "Type": "HardBounce", "Metadata": {"message": "99999999999999999999"}, "Email": "x"}',
]


ODD = st.one_of(st.none(), st.integers(), st.text(max_size=8), st.lists(st.integers(), max_size=2), st.just({}))


def test_a_provider_s_secret_opens_its_own_door_alone(settings: Any) -> None:
    message = sent()
    settings.ANYMAIL = {**settings.ANYMAIL, "MAILGUN_WEBHOOK_SECRET": "mailgun:another secret"}
    assert post(delivered(message)).status_code == 200
    assert post(delivered(message), secret="mailgun:another secret").status_code == 403
    for other in ("brevo", "sendgrid", "mailjet"):
        assert post(delivered(message), other).status_code == 404, "no mail goes through it, and it has no secret"
    assert post(mailgun(message, "delivered"), "mailgun").status_code == 403
    assert post(mailgun(message, "delivered"), "mailgun", "mailgun:another secret").status_code == 200
    settings.ANYMAIL = {**settings.ANYMAIL, "POSTMARK_WEBHOOK_SECRET": "postmark:its own"}
    assert post(delivered(message)).status_code == 403
    assert post(delivered(message), secret="postmark:its own").status_code == 200

"""Sending through a provider's API: anymail's own backend speaks HTTP to a misbehaving provider on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from members.mail.headers import message_id
from members.models import Message
from members.tasks import send_message
from tests.members.mail.test_sending import AGAIN, ONCE, queued

pytestmark = pytest.mark.django_db

INACTIVE = "Found inactive addresses: reader1@example.org.\nInactive recipients are ones that have bounced."
TAKEN = {"To": "reader1@example.org", "MessageID": "0a129aee-e1cd", "ErrorCode": 0, "Message": "OK"}


class Provider:
    """A server that answers like Postmark; with `status` 0 it hangs up after reading the email."""

    def __init__(self) -> None:
        self.status, self.answer, self.got = 200, TAKEN, []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                provider.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                if not provider.status:
                    self.close_connection = True
                    return
                body = json.dumps(provider.answer).encode()
                self.send_response(provider.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    one = Provider()
    options = {"api_url": f"http://127.0.0.1:{one.server.server_address[1]}/", "server_token": "x"}
    connection = {"backend": "anymail.backends.postmark.EmailBackend", **options}
    settings.SERVICE_MAIL = {"connection": connection, "extra": {"MessageStream": "outbound"}}
    yield one
    one.close()


def after_send(message: Message) -> Message:
    send_message(message.pk)
    message.refresh_from_db()
    return message


def test_taken_and_known_by_the_provider_s_own_name(provider: Provider) -> None:
    message = after_send(queued(ONCE))
    assert (message.state, message.attempts, message.provider_id) == ("sent", 1, "0a129aee-e1cd")
    [letter] = provider.got
    assert (letter["To"], letter["Subject"]) == ("reader1@example.org", message.subject)
    assert (letter["TextBody"], letter["HtmlBody"]) == (message.body_text, message.body_html)
    headers = {each["Name"]: each["Value"] for each in letter["Headers"]}
    assert headers["Message-ID"] == message_id(message.key)
    assert headers["X-PM-KeepID"] == "true"
    assert (letter["MessageStream"], letter["Tag"]) == ("outbound", "service")
    assert letter["Metadata"] == {"message": str(message.pk)}, "the provider learns nothing about the person"


@pytest.mark.parametrize(
    ("status", "answer", "kind", "state"),
    [
        (422, {"ErrorCode": 300, "Message": "Invalid email request"}, AGAIN, "failed"),
        (422, {"ErrorCode": 406, "Message": INACTIVE}, AGAIN, "failed"),
        (401, {"ErrorCode": 10, "Message": "Bad or missing token"}, AGAIN, "pending"),
        (429, {}, AGAIN, "pending"),
        (500, {}, ONCE, "pending"),
        (503, {}, ONCE, "pending"),
        (504, {}, ONCE, "unknown"),
        (504, {}, AGAIN, "pending"),
        (200, {"what": "nobody understands"}, ONCE, "unknown"),
        (0, {}, ONCE, "unknown"),
    ],
)
def test_what_each_answer_means(provider: Provider, status: int, answer: Any, kind: str, state: str) -> None:
    provider.status, provider.answer = status, answer
    message = after_send(queued(kind))
    assert message.state == state, message.error
    assert message.error
    assert len(provider.got) == 1, "an attempt is one request"


def test_where_nobody_listens_no_try_is_spent(provider: Provider) -> None:
    provider.close()
    message = after_send(queued(ONCE))
    assert (message.state, message.attempts, message.unanswered) == ("pending", 0, 0)

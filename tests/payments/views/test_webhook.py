"""The endpoint for Stripe's events: it stores valid ones, refuses all else, and never answers 500."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import socket
import threading
import time
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from payments import heartbeats
from payments.models import Heartbeat, StripeEvent
from payments.stripe_api.client import API_VERSION
from payments.stripe_api.event_types import HANDLED
from payments.webhooks.handlers import HANDLERS

SECRETS = ["whsec_current", "whsec_previous"]
ADDRESS = "/webhooks/stripe/"


@pytest.fixture(autouse=True)
def _secrets(settings) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = SECRETS
    settings.STRIPE_SECRET_KEY = "sk_test_x"


def event(**given: Any) -> dict[str, Any]:
    base = {
        "id": "evt_1",
        "object": "event",
        "type": "charge.succeeded",
        "created": 1_795_000_000,
        "livemode": False,
        "api_version": API_VERSION,
        "data": {"object": {"id": "ch_1", "object": "charge", "customer": "cus_1"}},
    }
    return base | given


def signature(body: bytes, secret: str = SECRETS[0], at: float | None = None) -> str:
    stamp = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


def post(body: bytes | dict[str, Any], header: str | None = None, client: Client | None = None, **extra: Any) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    content_type = extra.pop("content_type", "application/json; charset=utf-8")
    header = signature(raw) if header is None else header
    sender = client or Client(raise_request_exception=True)
    return sender.generic("POST", ADDRESS, raw, content_type, HTTP_STRIPE_SIGNATURE=header, **extra).status_code


def test_a_signed_event_is_stored_once_and_nothing_else_happens(db) -> None:
    assert [post(event()) for _ in range(3)] == [200, 200, 200]
    row = StripeEvent.objects.get()
    assert (row.pk, row.type, row.state, row.api_version) == ("evt_1", "charge.succeeded", "pending", API_VERSION)
    assert row.object["id"] == "ch_1"


def test_storing_takes_one_query(db, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        assert post(event()) == 200


def test_the_same_event_twenty_times_at_once_is_one_row(committed) -> None:
    barrier, answers = threading.Barrier(20), []

    def send() -> None:
        barrier.wait()
        answers.append(post(event()))
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(20)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert answers == [200] * 20
    assert StripeEvent.objects.count() == 1


@pytest.mark.parametrize(("offset", "status"), [(-301, 400), (-290, 200), (290, 200), (310, 400), (31_536_000, 400)])
def test_the_window_has_two_sides(db, offset: int, status: int) -> None:
    body = json.dumps(event()).encode()
    assert post(body, signature(body, at=time.time() + offset)) == status
    assert StripeEvent.objects.count() == (status == 200)


def test_the_previous_secret_is_good_and_a_stranger_s_is_not(db) -> None:
    body = json.dumps(event()).encode()
    assert post(body, signature(body, SECRETS[1])) == 200
    assert post(body, signature(body, "whsec_other")) == 400
    right, wrong = signature(body), signature(body, "whsec_other").split(",")[1]
    assert post(body, f"{right.split(',')[0]},{wrong},{right.split(',')[1]}") == 200


def test_what_looks_like_stripe_s_and_is_refused_is_noticed_and_rubbish_is_not(db, monkeypatch) -> None:
    monkeypatch.setattr(heartbeats, "_written_at", {})
    body = json.dumps(event()).encode()
    for rubbish in ("", "t=1,v1=00", f"t={int(time.time())}", "ÿ", signature(body, at=time.time() - 900)):
        assert post(body, rubbish) == 400
    assert heartbeats.refused_at() is None
    assert [post(body, signature(body, "whsec_of_another_endpoint")) for _ in range(5)] == [400] * 5
    assert heartbeats.refused_at() is not None
    assert Heartbeat.objects.count() == 1
    assert not StripeEvent.objects.exists()


def test_a_changed_body_is_refused(db) -> None:
    body = json.dumps(event()).encode()
    assert post(body.replace(b"ch_1", b"ch_2"), signature(body)) == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"[1]",
        b"123",
        b'"x"',
        b"null",
        b"{}",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"object":"event"}',
        json.dumps(event(data=[])).encode(),
        json.dumps(event(id=7)).encode(),
        json.dumps(event(id="")).encode(),
        json.dumps(event(created="x")).encode(),
        json.dumps(event(created=10**30)).encode(),
        json.dumps(event(id="evt_\x00")).encode(),
        json.dumps(event(type="a\x00b")).encode(),
        b'{"object":"event","id":"evt_\\ud800","type":"x","created":1,"data":{"object":{}}}',
        b'{"object":"event","id":"evt_1","type":"x","created":1,"account":"\\ud800","data":{"object":{}}}',
        json.dumps(event(account=["\x00"], api_version="\x00")).encode(),
    ],
)
def test_signed_rubbish_is_refused(db, body: bytes) -> None:
    assert post(body) == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize("name", ["type", "account", "api_version"])
@pytest.mark.parametrize("value", ["x" * 100_000, ["x" * 500], {"x": 1}, 7, True])
def test_oversized_and_odd_fields_are_stored_or_refused_and_never_asked_for_again(db, name: str, value: Any) -> None:
    """An answer of 503 would make Stripe send the same event for days."""
    wanted = 200 if name != "type" or isinstance(value, str) else 400
    assert post(event(**{name: value})) == wanted
    assert StripeEvent.objects.count() == (wanted == 200)


def test_nul_and_lone_surrogates_in_an_object_are_stored_as_they_came(db) -> None:
    head = b'{"object":"event","id":"evt_9","type":"charge.succeeded","created":5,"livemode":false,'
    body = head + b'"data":{"object":{"n":"\\u0000\\ud800"}}}'
    assert post(body) == 200
    assert bytes(StripeEvent.objects.get().payload) == body


def test_only_post_and_only_json(db) -> None:
    client = Client()
    for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):
        assert client.generic(method, ADDRESS).status_code == 405
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert post(event(), content_type=content_type) == 415


def test_a_megabyte_and_one_byte_is_too_large(db) -> None:
    padding = 1024 * 1024 - len(json.dumps(event(pad="")).encode())
    exact = json.dumps(event(pad="x" * padding)).encode()
    assert len(exact) == 1024 * 1024
    assert post(exact) == 200
    assert post(exact + b" ") == 413


def test_unknown_types_are_kept_and_ignored(db) -> None:
    assert post(event(type="x.y.z")) == 200
    assert StripeEvent.objects.get().state == "ignored"


@pytest.mark.parametrize("given", [{"livemode": True}, {"account": "acct_other"}, {"livemode": None}])
def test_another_mode_or_account_is_kept_as_foreign(db, given: dict[str, Any]) -> None:
    assert post(event(**given)) == 200
    assert StripeEvent.objects.get().state == "foreign"


def test_two_thousand_hostile_requests_store_nothing_and_break_nothing(db) -> None:
    dice, client = random.Random(1), Client(raise_request_exception=True)
    body = json.dumps(event()).encode()
    for _ in range(2000):
        header = dice.choice(
            [
                "",
                "t=abc,v1=x",
                "t=1,v1=" + "0" * 64,
                "é" * 10,
                "t=" + "9" * 5000,
                "v1=" + "a" * 9000,
                ",,,===,",
                f"t={int(time.time())},v1=é",
                "".join(chr(dice.randrange(32, 255)) for _ in range(dice.randrange(200))),
                signature(body)[:-1] + "z",
                "t=٣,v1=x",
                "t=-1,v1=x",
                "t=1e9,v1=",
            ]
        )
        raw = dice.choice([body, b"", b"\xff", dice.randbytes(dice.randrange(300)), b"[" * 5000])
        content_type = dice.choice(["application/json", "text/plain", "application/json; charset=\xe9", "x" * 300, "/"])
        assert post(raw, header, client, content_type=content_type) in {400, 405, 413, 415}
    assert not StripeEvent.objects.exists()


def test_a_forged_host_or_forwarding_header_changes_nothing(db) -> None:
    assert post(event(), HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example") == 200


def test_the_door_calls_nobody(db, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()

    def refuse(*args: Any) -> None:
        raise AssertionError("the webhook opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert post(event()) == 200


def test_the_endpoint_s_list_and_the_handlers_are_one() -> None:
    assert {name for name in HANDLERS if not name.startswith("sync.")} == set(HANDLED)

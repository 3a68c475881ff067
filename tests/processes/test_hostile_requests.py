"""Two thousand hostile requests, byte by byte, against the web server as it runs: refused, never an error, no row."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from urllib.parse import urlsplit

import pytest

from stripe_simulator.deliveries import signed
from tests.processes.theatre import SECRET, Theatre

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")]

HOSTILE = 2000
LARGE = 1024 * 1024 + 1
METHODS = [b"POST"] * 12 + [b"GET", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"HEAD", b"TRACE", b"BREW", b"post"]
TYPES = [b"application/json"] * 6 + [
    b"text/plain",
    b"",
    b"multipart/form-data; boundary=x",
    b"application/x-www-form-urlencoded",
    b"\xff\xfe/json",
    b"application/json; charset=utf-16",
    b"application/json;" + b"x" * 5000,
]
ID = b'"id":"evt_hostile","object":"event","type":"charge.succeeded","created":1795000000,"data":{"object":{}}'
BODIES = [
    b"",
    b"{}",
    b"[1]",
    b"123",
    b"null",
    b"\xff\xfe\x00",
    b"[" * 200_000,
    b"{" + ID + b"}",
    b'{"object":"event"}',
    b"{" + ID.replace(b'{"object":{}}', b"[]") + b"}",
    b"{" + ID.replace(b'"evt_hostile"', b"7") + b"}",
    b"\x00" * 64,
]


def signatures(dice: Random) -> bytes:
    now = str(int(time.time())).encode()
    return dice.choice(
        [
            b"",
            b"t=abc",
            b"t=",
            b"v1=" + b"0" * 64,
            b"t=" + now + b",v1=" + b"0" * 64,
            b"t=" + now + b",v1=\xff\xfe",
            b"t=" + b"9" * 400 + b",v1=x",
            b"\xd0\xbf\xd1\x96\xd0\xb4\xd0\xbf\xd0\xb8\xd1\x81",
            b"," * 10_000,
            b"t=-1,v1=",
            b"t=" + now + b",v0=" + b"0" * 64,
            "t=١٢٣,v1=x".encode(),
            b"t=1e9,v1=x",
            b"=,=,=",
            dice.randbytes(40).translate(NO_LINES),
        ]
    )


NO_LINES = bytes(65 if byte in (0, 10, 13) else byte for byte in range(256))


def framed(dice: Random, body: bytes) -> tuple[bytes, bytes]:
    """Header and body, as they should be and as they should not."""
    right = b"Content-Length: %d\r\n" % len(body)
    chunked = b"Transfer-Encoding: chunked\r\n"
    return dice.choice(
        [
            (right, body),
            (right, body),
            (right, body),
            (right, body),
            (chunked, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"),
            (chunked, b"zz\r\nrubbish\r\n0\r\n\r\n"),
            (chunked + right, b"0\r\n\r\n"),
            (right + b"Content-Length: 1\r\n", body),
            (b"Content-Length: -5\r\n", body),
            (b"Content-Length: 99999999999999999999\r\n", body),
            (b"", b""),
            (right + b"Content-Encoding: gzip\r\n", body),
            (right + b"X-Odd: \xff\xfe\xd0\r\n", body),
        ]
    )


def hostile(number: int) -> bytes:
    dice = Random(number)
    if number % 100 == 0:
        return request(b"POST", b"application/json", b"Content-Length: %d\r\n" % LARGE, b"x" * LARGE)
    header, content = framed(dice, dice.choice(BODIES))
    query = dice.choice([b"", b"", b"?a=%ff%00", b"?\xff"])
    return request(dice.choice(METHODS), dice.choice(TYPES), header, content, query=query, signature=signatures(dice))


def request(
    method: bytes,
    content_type: bytes,
    header: bytes,
    content: bytes,
    query: bytes = b"",
    signature: bytes = b"t=1,v1=x",
) -> bytes:
    lines = [
        method + b" /webhooks/stripe/" + query + b" HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Connection: close",
        b"Content-Type: " + content_type,
        b"Stripe-Signature: " + signature,
    ]
    return b"\r\n".join(lines) + b"\r\n" + header + b"\r\n" + content


def signed_rubbish(body: bytes) -> bytes:
    """With our own secret: what a leaked secret could send."""
    signature = signed(body, SECRET)["Stripe-Signature"].encode()
    return request(b"POST", b"application/json", b"Content-Length: %d\r\n" % len(body), body, signature=signature)


def send(theatre: Theatre, content: bytes) -> int:
    """The status; 0 when the connection was closed without one."""
    with socket.create_connection(("127.0.0.1", urlsplit(theatre.site).port or 0), timeout=20) as connection:
        with suppress(OSError):  # it may hang up before the end: what it said is still there to be read
            connection.sendall(content)
        with suppress(ConnectionError):
            answer = connection.makefile("rb").readline()
            return int(answer.split()[1]) if answer else 0
    return 0


def test_hostile_requests_are_refused(theatre: Theatre) -> None:
    before = theatre.events_stored()
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(lambda number: send(theatre, hostile(number)), range(HOSTILE)))
    assert all(400 <= status < 500 for status in statuses if status), statuses
    assert {400, 405, 413, 415} <= statuses.keys(), statuses
    assert statuses[0] < HOSTILE / 20, statuses  # only where the bytes were no HTTP request at all
    # Stripe's stand-in may still deliver what an earlier test caused.
    assert theatre.events_stored() - before <= theatre.events_at_stripe()
    assert theatre.status("/healthz") == 200
    assert "Traceback" not in theatre.programs.words_of("web")


def test_rubbish_with_a_right_signature_is_refused(theatre: Theatre) -> None:
    before = theatre.events_stored()
    readable = [body for body in BODIES if body.isascii() and body != BODIES[7]]
    readable += [json.dumps({"object": "event", "id": "evt_\x00"}).encode(), b"[" * 300_000]
    assert {send(theatre, signed_rubbish(body)) for body in readable} == {400}
    assert theatre.events_stored() - before <= theatre.events_at_stripe()

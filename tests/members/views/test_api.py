"""The entitlement API: its answers, keys and limits, and that it works while other services are down."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client

from members import api_keys, clock, limits
from members.models import ApiKey
from tests import factories

URL = "/api/v1/entitlements/lookup/"
NOTHING = {"active": False, "level": None, "until": None, "reason": "none"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet(settings, monkeypatch) -> None:
    """Empty this test's own Redis database, and forget earlier failures of Redis."""
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    monkeypatch.setattr(limits, "_silent_until", 0.0)


@pytest.fixture
def key() -> str:
    return api_keys.create("website", api_keys.ENTITLEMENTS_READ)[1]


def ask(client: Client, key: str, body: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(URL, content, content_type="application/json", headers={"Authorization": f"Bearer {key}"})


class TestTheAnswer:
    def test_a_patron(self, client: Client, key: str) -> None:
        paid_through = clock.today() + timedelta(days=3)
        factories.membership(factories.supporter(email="reader@example.org"), paid_through=paid_through)
        answer = ask(client, key, {"email": "READER@example.org"})
        until = (paid_through + timedelta(days=14)).isoformat()
        assert answer.status_code == 200
        assert answer.json() == {"active": True, "level": "patron", "until": until, "reason": "active"}
        assert "no-store" in answer["Cache-Control"]

    def test_somebody_unknown_and_somebody_who_never_belonged_look_alike(self, client: Client, key: str) -> None:
        factories.supporter(email="reader@example.org")
        known = ask(client, key, {"email": "reader@example.org"})
        unknown = ask(client, key, {"email": "nobody@example.org"})
        assert known.json() == unknown.json() == NOTHING
        assert known.headers == unknown.headers

    def test_known_and_unknown_take_the_same_two_queries(self, client: Client, key: str) -> None:
        factories.membership(factories.supporter(email="reader@example.org"), paid_through=clock.today())
        seen = []
        for email in ("reader@example.org", "nobody@example.org"):
            with CapturedQueries() as queries:
                ask(client, key, {"email": email})
            seen.append([sql.replace(email, "…") for sql in queries.statements])
        assert seen[0] == seen[1]
        assert len(seen[0]) == 2

    def test_no_name_and_no_address_is_said(self, client: Client, key: str) -> None:
        who = factories.supporter(email="reader@example.org", name="Olena Reader")
        factories.membership(who, paid_through=clock.today())
        text = ask(client, key, {"email": "reader@example.org"}).content.decode()
        assert "Olena" not in text
        assert "reader@" not in text


class CapturedQueries:
    """The SQL statements that a block of code executes."""

    def __enter__(self) -> CapturedQueries:
        self.statements: list[str] = []
        self._wrapper = connection.execute_wrapper(self._record)
        self._wrapper.__enter__()
        return self

    def __exit__(self, *problem: object) -> None:
        self._wrapper.__exit__(*problem)

    def _record(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.statements.append(sql)
        return execute(sql, params, many, context)


class TestWhoMayAsk:
    def test_without_a_right_key_one_and_the_same_refusal(self, client: Client, key: str) -> None:
        revoked = api_keys.create("old", api_keys.ENTITLEMENTS_READ)[1]
        api_keys.revoke(ApiKey.objects.filter(name="old"))
        wrong = ["Bearer", f"Bearer {revoked}", f"Bearer {key[:-1]}", f"Basic {key}", key, "Bearer hr_ÿ\u2028"]
        headers = [{}, *({"Authorization": each} for each in [*wrong, f"Bearer {key} {key}"])]
        answers = [client.post(URL, {"email": "a@b.org"}, "application/json", headers=each) for each in headers]
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.content for answer in answers}) == 1
        assert answers[0]["WWW-Authenticate"] == "Bearer"

    def test_a_key_for_something_else_is_refused(self, client: Client) -> None:
        ApiKey.objects.create(name="other", scope="other:read", hashed_key=api_keys.hashed("hr_other"))
        answer = ask(client, "hr_other", {"email": "reader@example.org"})
        assert (answer.status_code, answer.json()) == (403, {"detail": "This key is not for entitlements."})

    def test_the_refusal_comes_before_the_body_is_looked_at(self, client: Client) -> None:
        assert ask(client, "hr_wrong", b"{").status_code == 401

    def test_a_staff_session_is_no_key(self, admin_client: Client) -> None:
        assert admin_client.post(URL, {"email": "a@b.org"}, "application/json").status_code == 401

    def test_reading_by_get_is_not_offered(self, client: Client, key: str) -> None:
        answer = client.get(URL + "?email=reader@example.org", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 405


class TestHowOften:
    def test_each_key_has_a_limit_of_its_own(self, client: Client, key: str, settings) -> None:
        settings.ENTITLEMENT_LOOKUPS_PER_MINUTE = 3
        codes = [ask(client, key, {"email": "reader@example.org"}).status_code for _ in range(4)]
        assert codes == [200, 200, 200, 429]
        other = api_keys.create("second", api_keys.ENTITLEMENTS_READ)[1]
        assert ask(client, other, {"email": "reader@example.org"}).status_code == 200

    def test_the_refusal_says_when_to_come_back(self, client: Client, key: str, settings) -> None:
        settings.ENTITLEMENT_LOOKUPS_PER_MINUTE = 0
        answer = ask(client, key, {"email": "reader@example.org"})
        assert answer.status_code == 429
        assert answer["Retry-After"] == "60"

    def test_each_key_has_a_limit_a_day_too(self, client: Client, key: str, settings, caplog) -> None:
        settings.ENTITLEMENT_LOOKUPS_PER_DAY = 2
        with caplog.at_level(logging.INFO, logger="hromada.api"):
            answers = [ask(client, key, {"email": "reader@example.org"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2]["Retry-After"] == "3600"
        assert caplog.text.count("entitlements.lookup key=") == 2
        assert "reader@example.org" not in caplog.text

    def test_without_redis_it_answers(self, client: Client, key: str, settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        assert ask(client, key, {"email": "reader@example.org"}).json() == NOTHING


class TestBadInput:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"1",
            b'"reader@example.org"',
            b"\xff\xfe",
            b"{}",
            b'{"email": null}',
            b'{"email": ""}',
            b'{"email": "no address"}',
            b'{"email": ["reader@example.org"]}',
            b'{"email": 1}',
            b'{"email": "a\\u0000@example.org"}',
            b'{"email": "a@\\ud800.org"}',
            b'{"email": NaN}',
            b'{"email": "' + b"a" * 300 + b'@example.org"}',
            b'{"email": ' + b"1" * 6000 + b"}",
            b"[" * 200_000,
            b'{"email":' * 100_000,
        ],
    )
    def test_it_is_a_mistake_of_the_caller(self, client: Client, key: str, body: bytes) -> None:
        answer = ask(client, key, body)
        assert answer.status_code == 400
        assert isinstance(answer.json(), dict)

    def test_a_field_nobody_knows_is_named(self, client: Client, key: str) -> None:
        answer = ask(client, key, {"email": "reader@example.org", "scope": "all"})
        assert (answer.status_code, answer.json()) == (400, {"scope": ["This field is not known here."]})

    @pytest.mark.parametrize(
        "kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"]
    )
    def test_another_kind_of_body_is_refused(self, client: Client, key: str, kind: str) -> None:
        answer = client.post(URL, b"email=reader%40example.org", kind, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 415


def test_a_database_that_does_not_answer_is_said_plainly(client: Client, key: str) -> None:
    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        raise OperationalError("the connection is lost")

    with connection.execute_wrapper(refuse):
        answer = ask(client, key, {"email": "reader@example.org"})
    assert (answer.status_code, answer.json()) == (503, {"detail": "Try again in a moment."})


class TestKeys:
    def test_the_command_prints_a_key_that_works(self, client: Client) -> None:
        out, err = StringIO(), StringIO()
        call_command("create_api_key", "website", scope=api_keys.ENTITLEMENTS_READ, stdout=out, stderr=err)
        text = out.getvalue().strip()
        assert text.startswith("hr_")
        assert ask(client, text, {"email": "reader@example.org"}).status_code == 200
        assert text not in err.getvalue()

    def test_only_a_hash_is_kept(self, key: str) -> None:
        row = ApiKey.objects.get()
        assert key not in str(vars(row))
        assert len(row.hashed_key) == 64

    def test_a_scope_nobody_knows_is_refused(self) -> None:
        with pytest.raises(CommandError):
            call_command("create_api_key", "website", "--scope", "all")
        with pytest.raises(ValueError, match="scope"):
            api_keys.create("website", "all")

    def test_revoking_twice_keeps_the_first_moment(self, key: str) -> None:
        assert api_keys.revoke(ApiKey.objects.all()) == 1
        first = ApiKey.objects.get().revoked_at
        assert api_keys.revoke(ApiKey.objects.all()) == 0
        assert ApiKey.objects.get().revoked_at == first

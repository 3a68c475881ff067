"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from members import clock
from members.models import Message
from payments import cases, heartbeats
from payments.alerts import watch
from payments.alerts.rules import BY_NAME
from payments.models import Heartbeat, StripeEvent
from payments.stripe_api.client import API_VERSION
from project import health
from tests import factories

NOWHERE = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def _look_again(monkeypatch) -> None:
    """Forget the last check of the migrations before each test."""
    monkeypatch.setattr(health, "_migrations_seen_applied_at", None)


def samples(client: Client) -> list[Sample]:
    text = client.get("/metrics").content.decode()
    return [sample for each in text_string_to_metric_families(text) for sample in each.samples]


def numbers(client: Client) -> dict[tuple[str, str], float]:
    found = samples(client)
    return {(each.name, each.labels.get("state") or each.labels.get("name", "")): each.value for each in found}


def test_alive_needs_no_database(client: Client) -> None:
    """Without the marker `django_db`, any query fails."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies


@pytest.mark.django_db
class TestReady:
    def test_everything_works(self, client: Client) -> None:
        for name in heartbeats.NAMES:
            Heartbeat.objects.create(name=name, beaten_at=timezone.now())
        answer = client.get("/readyz")
        assert answer.status_code == 200
        checks = {"database": "ok", "migrations": "ok", "redis": "ok", "heartbeats": "ok", "disk": "ok"}
        assert answer.json() == {"status": "ready", "checks": checks}

    def test_strangers_are_told_no_more_than_the_status(self, client: Client, settings) -> None:
        settings.METRICS_TOKEN = "a-long-token"
        assert client.get("/readyz", REMOTE_ADDR="192.0.2.7").json() == {"status": "ready"}
        assert client.get("/readyz", headers={"X-Forwarded-For": "127.0.0.1"}).json() == {"status": "ready"}
        known = client.get("/readyz", REMOTE_ADDR="192.0.2.7", headers={"Authorization": "Bearer a-long-token"})
        assert known.json()["checks"]["database"] == "ok"
        settings.REDIS_URL = NOWHERE
        assert client.get("/readyz", REMOTE_ADDR="192.0.2.7").json() == {"status": "degraded"}

    def test_silent_processes_are_named_and_it_stays_ready(self, client: Client) -> None:
        now = timezone.now()
        Heartbeat.objects.create(name="drain", beaten_at=now - timedelta(seconds=170))
        Heartbeat.objects.create(name="worker", beaten_at=now - timedelta(seconds=190))
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        assert answer.json()["checks"]["heartbeats"] == "silent: worker, beat, bulk"

    def test_without_redis_it_is_degraded_and_ready(self, client: Client, settings) -> None:
        settings.REDIS_URL = NOWHERE
        answer = client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["status"] == "degraded"
        assert answer.json()["checks"]["redis"] == "down"

    def test_a_database_that_cannot_be_written_is_not_ready(self, client: Client) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL transaction_read_only = on")
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == "read-only"

    def test_a_role_that_may_not_write_is_not_ready(self, client: Client) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE ROLE reader_only")
            cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_only")
            cursor.execute("SET LOCAL ROLE reader_only")
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == "read-only"

    def test_a_disk_that_is_full_is_said_and_it_stays_ready(self, client: Client, monkeypatch) -> None:
        monkeypatch.setattr(health, "DISK_IS_LOW_BELOW", 2**63)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["checks"]["disk"].startswith("low: ")

    def test_a_migration_that_waits_is_not_ready(self, client: Client) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'appeals'")
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {
            "status": "not ready",
            "checks": {"database": "ok", "migrations": "waiting", "redis": "ok", "heartbeats": "unknown", "disk": "ok"},
        }

    def test_migrations_are_looked_at_once_a_minute(self, client: Client, django_assert_num_queries) -> None:
        client.get("/readyz")
        with django_assert_num_queries(2):  # the database, and the heartbeats
            client.get("/readyz")


def test_a_database_that_is_gone_is_not_ready(client: Client, django_db_blocker, monkeypatch) -> None:
    """Use a connection to a port where nothing listens."""
    unreachable = connection.copy()
    unreachable.settings_dict = {**unreachable.settings_dict, "HOST": "127.0.0.1", "PORT": "9"}
    monkeypatch.setattr(health, "connection", unreachable)
    with django_db_blocker.unblock():
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "down"


@pytest.mark.django_db
class TestMetrics:
    def test_events_and_messages_by_state_with_the_oldest_that_waits(self, client: Client) -> None:
        now = timezone.now()
        for number, (state, minutes) in enumerate([("pending", 1), ("parked", 7), ("processed", 90)]):
            StripeEvent.objects.create(
                id=f"evt_{number}",
                type="x",
                created_at=now,
                payload=b"{}",
                state=state,
                received_at=now - timedelta(minutes=minutes),
            )
        for number, (state, minutes) in enumerate([("pending", 2), ("sent", 30)]):
            Message.objects.create(
                kind="x",
                key=str(number),
                to_email="reader@example.org",
                language="en",
                state=state,
                created_at=clock.now() - timedelta(minutes=minutes),
            )
        found = numbers(client)
        assert found["hromada_events", "pending"] == 1
        assert found["hromada_events", "dead"] == 0
        assert found["hromada_events_oldest_waiting_seconds", ""] == pytest.approx(420, abs=20)
        assert found["hromada_messages", "sent"] == 1
        assert found["hromada_messages_oldest_waiting_seconds", ""] == pytest.approx(120, abs=20)

    def test_with_nothing_waiting_the_age_is_zero(self, client: Client) -> None:
        assert numbers(client)["hromada_events_oldest_waiting_seconds", ""] == 0

    def test_how_events_arrive(self, client: Client) -> None:
        now = timezone.now()
        for number, (minutes, lag, version) in enumerate(
            [(10, 4, API_VERSION), (3, 90, "2025-03-31.basil"), (120, 9000, "2025-03-31.basil"), (2000, 1, "old")]
        ):
            came = now - timedelta(minutes=minutes)
            StripeEvent.objects.create(
                id=f"evt_{number}",
                type="x",
                payload=b"{}",
                state="processed",
                api_version=version,
                created_at=came - timedelta(seconds=lag),
                received_at=came,
            )
        StripeEvent.objects.create(id="sync_1", type="x", payload=b"{}", created_at=now, received_at=now, is_sync=True)
        found = numbers(client)
        assert found["hromada_events_silence_seconds", ""] == pytest.approx(180, abs=20)
        assert found["hromada_events_lag_seconds", ""] == 90
        assert found["hromada_events_other_version", ""] == 2

    def test_who_was_heard_of_and_what_fires(self, client: Client) -> None:
        Heartbeat.objects.create(name="drain", beaten_at=timezone.now() - timedelta(seconds=30))
        watch.report("worker-silent", {"minutes": 4})
        watch.report("beat-silent", {"minutes": 4})
        watch.report("beat-silent", None)
        found = numbers(client)
        assert found["hromada_heartbeat_age_seconds", "drain"] == pytest.approx(30, abs=5)
        assert found["hromada_heartbeat_age_seconds", "worker"] == float("inf")
        assert found["hromada_alert", "worker-silent"] == 1
        assert found["hromada_alert", "beat-silent"] == 0
        assert {name for metric, name in found if metric == "hromada_alert"} == set(BY_NAME)

    def test_what_a_person_must_decide_and_how_payments_went(self, client: Client) -> None:
        cases.open_case("refund_failed", "one")
        cases.close(cases.open_case("refund_failed", "two"), factories.staff(), "seen")
        factories.payment(status="failed", created_at=clock.now())
        factories.payment(created_at=clock.now() - timedelta(hours=25))
        found = {(each.name, *each.labels.values()): each.value for each in samples(client)}
        assert found["hromada_cases_open", "refund_failed"] == 1
        assert found["hromada_cases_open", "duplicate_payment"] == 0
        assert found["hromada_payments_tried", "failed"] == 1
        assert found["hromada_payments_tried", "succeeded"] == 0
        assert found["hromada_queue_length", "celery"] >= 0
        assert found["hromada_queue_length", "bulk"] >= 0

    def test_without_redis_nothing_is_said_of_its_queues(self, client: Client, settings) -> None:
        settings.REDIS_URL = NOWHERE
        assert "hromada_queue_length" not in {each.name for each in samples(client)}

    def test_it_takes_ten_queries(self, client: Client, django_assert_num_queries) -> None:
        with django_assert_num_queries(10):
            client.get("/metrics")

    def test_nobody_is_named(self, client: Client) -> None:
        Message.objects.create(kind="thanks", key="thanks:1", to_email="reader@example.org", language="en")
        text = client.get("/metrics").content.decode()
        assert "reader" not in text
        assert "thanks" not in text

    def test_from_elsewhere_it_is_closed(self, client: Client) -> None:
        assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 403

    def test_a_proxy_on_this_machine_speaks_for_others(self, client: Client, settings) -> None:
        assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 403
        settings.TRUSTED_PROXY_COUNT = 1
        assert client.get("/metrics").status_code == 403

    def test_the_token_opens_it(self, client: Client, settings) -> None:
        settings.METRICS_TOKEN = "a-long-token"
        opened = client.get("/metrics", REMOTE_ADDR="192.0.2.7", headers={"Authorization": "Bearer a-long-token"})
        assert opened.status_code == 200
        for wrong in ("Bearer a-long", "a-long-token", "Bearer ", "Bearer ÿ"):
            refused = client.get("/metrics", REMOTE_ADDR="192.0.2.7", headers={"Authorization": wrong})
            assert refused.status_code == 403

    def test_without_a_token_in_the_settings_an_empty_one_opens_nothing(self, client: Client, settings) -> None:
        settings.METRICS_TOKEN = ""
        answer = client.get("/metrics", REMOTE_ADDR="192.0.2.7", headers={"Authorization": "Bearer "})
        assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_reading_is_possible(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.django_db
def test_the_site_map_leads_from_the_front_door_to_the_ask(client: Client) -> None:
    answer = client.get("/?lang=uk")
    assert (answer.status_code, answer["Location"]) == (302, "/support/?lang=uk")

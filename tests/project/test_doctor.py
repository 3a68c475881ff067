"""`manage.py doctor`: no findings where all is right; each fault is reported with what to do.

Stripe is the simulator behind the real SDK, the mail server a real socket, the database the test's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from payments import heartbeats
from payments.models import Heartbeat, StripeEvent
from payments.stripe_api.client import API_VERSION
from payments.stripe_api.event_types import HANDLED
from stripe_simulator import Simulator, serve
from tests import factories
from tests.smtp_sink import SmtpSink

KEY = "sk_test_simulator_doctor"
SITE = "https://support.example.org"
NOWHERE = "http://127.0.0.1:9"

pytestmark = pytest.mark.django_db


class SkewedClock:
    """WSGI middleware that shifts the time in the Date header of the simulator's answers by `skew`."""

    skew = timedelta(0)

    def around(self, application: Any) -> SkewedClock:
        self.app = application
        return self

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            date = format_datetime(timezone.now() + self.skew, usegmt=False)
            return start_response(status, [*headers, ("Date", date)], *rest)

        return self.app(environ, start)


class Installation:
    """An installation in which every check passes until a test breaks something."""

    def __init__(self, simulator: Simulator, clock: SkewedClock) -> None:
        self.stripe, self.clock = simulator, clock

    @property
    def endpoint(self) -> dict[str, Any]:
        found: dict[str, Any] = self.stripe.world.store.all("webhook_endpoint")[0]
        return found

    def change_endpoint(self, **values: Any) -> None:
        self.stripe.world.update(self.endpoint, **values)


@pytest.fixture
def installation(settings) -> Iterator[Installation]:
    simulator = Simulator(None, secret_key=KEY)
    clock = SkewedClock()
    with serve(simulator, around=clock.around) as running:
        settings.DEBUG, settings.STRIPE_IS_SIMULATED, settings.STRIPE_PARAMS_CHECKED = True, False, True
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = KEY, running.url
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_x"]
        settings.SITE_URL, settings.ALLOWED_HOSTS = SITE, ["support.example.org"]
        settings.EMAIL_BACKEND = "members.mail.files.EmailBackend"
        call_command("stripe_endpoint", stdout=StringIO())
        for name in heartbeats.NAMES:
            Heartbeat.objects.create(name=name, beaten_at=timezone.now())
        yield Installation(simulator, clock)


def doctor() -> tuple[dict[str, tuple[str, str]], bool]:
    """Run the doctor; return the worst finding about each subject, and whether the exit code was good."""
    output = StringIO()
    is_well = True
    try:
        call_command("doctor", json=True, stdout=output)
    except CommandError:
        is_well = False
    found: dict[str, tuple[str, str]] = {}
    for each in json.loads(output.getvalue()):
        order = ["ok", "warn", "FAIL"]
        if each["what"] not in found or order.index(each["level"]) > order.index(found[each["what"]][0]):
            found[each["what"]] = (each["level"], each["words"])
    return found, is_well


def finding(what: str) -> tuple[str, str]:
    found, is_well = doctor()
    assert is_well == (found[what][0] != "FAIL"), found
    return found[what]


def test_where_all_is_well_nothing_is_to_be_mended(installation: Installation) -> None:
    found, is_well = doctor()
    assert is_well, found
    assert {what for what, (level, _) in found.items() if level != "ok"} == {"newsroom"}, found
    assert {
        "settings",
        "database",
        "migrations",
        "Cyrillic",
        "Redis",
        "Stripe key",
        "clock",
        "mail",
        "webhook endpoint",
        "drain",
        "worker",
        "bulk",
        "beat",
        "queue",
    } <= set(found)


def test_for_people_one_line_a_check(installation: Installation) -> None:
    output = StringIO()
    call_command("doctor", stdout=output)
    lines = output.getvalue().splitlines()
    assert len(lines) > 12
    assert all(line.startswith(("ok   ", "warn ", "FAIL ")) and ": " in line for line in lines), lines


class TestStripe:
    def test_a_wrong_key(self, installation: Installation, settings) -> None:
        settings.STRIPE_SECRET_KEY = "sk_test_wrong"
        found, is_well = doctor()
        assert not is_well
        assert found["Stripe key"][0] == "FAIL"
        assert "webhook endpoint" not in found, "checks that need the key are left out"

    def test_stripe_that_does_not_answer(self, installation: Installation, settings) -> None:
        settings.STRIPE_API_BASE = NOWHERE
        level, words = finding("Stripe key")
        assert level == "FAIL"
        assert "does not answer" in words

    @pytest.mark.parametrize("skew", [7, -400])
    def test_clocks_that_differ(self, installation: Installation, skew: int) -> None:
        installation.clock.skew = timedelta(seconds=skew)
        level, words = finding("clock")
        assert level == "FAIL"
        assert ("behind" if skew > 0 else "ahead of") in words

    def test_a_live_key_in_development(self, installation: Installation, settings) -> None:
        settings.STRIPE_SECRET_KEY = installation.stripe.api._secret_key = "sk_live_x"
        assert finding("Stripe mode")[0] == "FAIL"

    def test_a_live_key_without_tls(self, installation: Installation, settings) -> None:
        settings.DEBUG, settings.SITE_URL = False, "http://support.example.org"
        settings.STRIPE_SECRET_KEY = installation.stripe.api._secret_key = "sk_live_x"
        found, _ = doctor()
        assert found["Stripe mode"][0] == "FAIL"
        assert "https" in found["Stripe mode"][1]

    def test_the_key_of_another_account(self, installation: Installation, settings) -> None:
        settings.STRIPE_ACCOUNT = "acct_other"
        assert finding("Stripe account")[0] == "FAIL"
        settings.STRIPE_ACCOUNT = "acct_simulator"
        assert finding("Stripe account")[0] == "ok"

    def test_ways_to_pay_beyond_ours_are_listed(self, installation: Installation, settings) -> None:
        installation.stripe.world.policy.methods = ("card", "link", "sepa_debit", "klarna")
        assert finding("payment methods")[1].endswith("switched on at Stripe and not offered: klarna")
        settings.PORTAL_PAYMENT_METHODS = "pmc_elsewhere"
        assert "pmc_elsewhere" in finding("payment methods")[1]


class TestEndpoint:
    def test_none_at_our_address(self, installation: Installation) -> None:
        installation.change_endpoint(url="https://support.example.org/webhooks/stripe")
        level, words = finding("webhook endpoint")
        assert level == "FAIL"
        assert "stripe_endpoint" in words

    def test_event_types_that_are_missing_are_named(self, installation: Installation) -> None:
        installation.change_endpoint(enabled_events=[name for name in HANDLED if name != "refund.failed"])
        assert finding("webhook endpoint")[0] == "FAIL"
        assert "refund.failed" in finding("webhook endpoint")[1]

    def test_more_than_we_act_on_is_a_hint(self, installation: Installation) -> None:
        installation.change_endpoint(enabled_events=["*"])
        assert finding("webhook endpoint")[0] == "warn"

    def test_the_simulator_s_own_endpoint_is_right_as_it_is(self, installation: Installation, settings) -> None:
        settings.STRIPE_IS_SIMULATED = True
        installation.change_endpoint(enabled_events=["*"])
        assert finding("webhook endpoint")[0] == "ok"
        assert finding("Stripe mode") == ("ok", "simulated: no Stripe, no money")

    def test_another_api_version(self, installation: Installation) -> None:
        installation.change_endpoint(api_version="2025-03-31.basil")
        assert finding("webhook endpoint")[0] == "FAIL"

    def test_switched_off(self, installation: Installation) -> None:
        installation.change_endpoint(status="disabled")
        assert "switched off" in finding("webhook endpoint")[1]

    def test_an_older_one_beside_it(self, installation: Installation) -> None:
        older = {**installation.endpoint, "id": "we_older", "api_version": "2025-03-31.basil"}
        installation.stripe.world.add(older)
        level, words = finding("webhook endpoint")
        assert level == "warn"
        assert "we_older" in words

    def test_after_stripe_endpoint_all_is_well(self, installation: Installation) -> None:
        installation.change_endpoint(enabled_events=["invoice.paid"], status="disabled")
        call_command("stripe_endpoint", stdout=StringIO())
        assert finding("webhook endpoint")[0] == "ok"

    @pytest.mark.parametrize("secrets", [[], ["we_x"]])
    def test_secrets_that_are_none(self, installation: Installation, settings, secrets: list[str]) -> None:
        settings.STRIPE_WEBHOOK_SECRETS = secrets
        assert finding("webhook secrets")[0] == "FAIL"


class TestInstallation:
    def test_what_django_s_checks_say(self, installation: Installation, settings) -> None:
        settings.CURRENCIES = ["EUR", "XXX"]
        level, words = finding("settings")
        assert level == "FAIL"
        assert "XXX" in words

    def test_a_site_whose_host_is_refused(self, installation: Installation, settings) -> None:
        settings.ALLOWED_HOSTS = ["elsewhere.example.org"]
        assert finding("settings")[0] == "FAIL"

    def test_migrations_that_wait(self, installation: Installation) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'appeals'")
        found, is_well = doctor()
        assert not is_well
        assert "appeals.0001_initial" in found["migrations"][1]
        assert "queue" not in found

    def test_no_redis(self, installation: Installation, settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        assert finding("Redis")[0] == "FAIL"

    def test_files_that_were_not_collected(self, installation: Installation, settings, tmp_path) -> None:
        settings.DEBUG, settings.STATIC_ROOT = False, tmp_path
        found, _ = doctor()
        assert found["static files"][0] == "FAIL"
        assert "collectstatic" in found["static files"][1]


class TestRunning:
    def test_a_silent_process(self, installation: Installation, settings) -> None:
        Heartbeat.objects.filter(name="beat").update(beaten_at=timezone.now() - timedelta(minutes=9))
        assert finding("beat")[0] == "warn"
        settings.DEBUG = False
        found, is_well = doctor()
        assert not is_well
        assert found["beat"] == ("FAIL", "silent for 9 min. Start it: celery --app=project beat")
        assert found["worker"][0] == "ok"

    def test_events_that_wait_and_events_that_died(self, installation: Installation) -> None:
        now = timezone.now()
        waits = factories.event("pending", received_at=now - timedelta(minutes=4), api_version=API_VERSION)
        assert finding("queue") == ("ok", "1 events and 0 emails wait")
        assert finding("alerts")[0] == "ok"
        StripeEvent.objects.filter(pk=waits.pk).update(next_try_at=now - timedelta(minutes=6))
        level, words = finding("alert events-waiting")
        assert level == "FAIL"
        assert "docs/operations.md, events-waiting" in words
        waits.delete()
        factories.event("dead", received_at=now, api_version=API_VERSION)
        assert finding("alert events-dead")[0] == "FAIL"

    def test_a_mild_alert_is_a_hint(self, installation: Installation) -> None:
        factories.event("processed", received_at=timezone.now(), api_version="2025-03-31.basil")
        assert finding("alert events-version")[0] == "warn"

    def test_a_mail_server_that_answers_gets_no_letter(self, installation: Installation, settings) -> None:
        with SmtpSink() as sink:
            settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
            assert finding("mail")[0] == "ok"
        assert sink.received == []

    def test_a_mail_server_that_is_not_there(self, installation: Installation, settings) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        assert finding("mail")[0] == "FAIL"

    def test_no_mail_server_in_production(self, installation: Installation, settings) -> None:
        settings.DEBUG = False
        found, _ = doctor()
        assert found["mail"][0] == "FAIL"

"""`manage.py stripe_endpoint` against the simulator, through the real SDK."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from payments.stripe_api import client
from payments.stripe_api.client import API_VERSION
from payments.stripe_api.event_types import HANDLED
from stripe_simulator import Simulator, serve

KEY = "sk_test_simulator_endpoint"
SITE = "https://support.example.org"
URL = f"{SITE}/webhooks/stripe/"


@pytest.fixture
def stripe(settings) -> Iterator[Simulator]:
    """An account without any endpoint."""
    with serve(Simulator(None, secret_key=KEY)) as running:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.SITE_URL = KEY, running.url, SITE
        settings.STRIPE_PARAMS_CHECKED = True
        yield running.simulator


def run(**options: Any) -> str:
    """Run the command; return its output."""
    out = StringIO()
    call_command("stripe_endpoint", stdout=out, **options)
    return out.getvalue()


def endpoints(stripe: Simulator) -> list[dict[str, Any]]:
    return stripe.world.store.all("webhook_endpoint")


def writes(stripe: Simulator) -> int:
    return len([asked for asked in stripe.api.log if asked.method == "POST"])


def test_it_is_made_once_and_its_secret_is_told_once(stripe: Simulator) -> None:
    first, second = run(), run()
    [made] = endpoints(stripe)
    assert (made["url"], made["api_version"], made["status"]) == (URL, API_VERSION, "enabled")
    assert sorted(made["enabled_events"]) == sorted(HANDLED)
    assert made["_secret"] in first
    assert made["_secret"] not in second
    assert "nothing to change" in second
    assert writes(stripe) == 1


def test_it_runs_in_production_without_the_secret_that_it_makes(stripe: Simulator, settings: Any) -> None:
    settings.DEBUG, settings.STRIPE_WEBHOOK_SECRETS, settings.ALLOWED_HOSTS = False, [], ["support.example.org"]
    settings.EMAIL_URL, settings.CONTACT_EMAIL = "smtp://mail.example.org:25", "support@example.org"
    settings.SECRET_KEY = "k3J9-tests-only-0123456789-abcdefghij"
    with pytest.raises(SystemCheckError, match="STRIPE_WEBHOOK_SECRETS is not set"):
        call_command("drain", skip_checks=False)
    assert "signing secret" in run(skip_checks=False)
    settings.SECRET_KEY = "a"
    with pytest.raises(SystemCheckError, match="can be guessed"):
        run(skip_checks=False)


def test_an_answer_that_got_lost_does_not_make_a_second_one(stripe: Simulator) -> None:
    stripe.fail("commit_then_500", times=2, method="POST")
    with pytest.raises(CommandError, match="nothing is done twice"):
        run()
    [made] = endpoints(stripe)
    output = run()
    assert len(endpoints(stripe)) == 1
    assert made["id"] in output


def test_event_types_that_differ_are_corrected_and_named(stripe: Simulator) -> None:
    run()
    [made] = endpoints(stripe)
    others = [name for name in HANDLED if name != "invoice.paid"]
    stripe.world.update(made, enabled_events=[*others, "customer.created"], status="disabled")
    assert "added invoice.paid; removed customer.created; switched on" in run()
    [now] = endpoints(stripe)
    assert (sorted(now["enabled_events"]), now["status"]) == (sorted(HANDLED), "enabled")


def test_corrected_again_when_somebody_changed_it_back_within_a_day(stripe: Simulator) -> None:
    """With a repeated idempotency key Stripe would answer the update without doing it."""
    run()
    for _ in range(2):
        stripe.world.update(endpoints(stripe)[0], enabled_events=["invoice.paid"])
        run()
        assert sorted(endpoints(stripe)[0]["enabled_events"]) == sorted(HANDLED)


def test_one_that_was_deleted_is_made_again_the_same_day(stripe: Simulator) -> None:
    """For a day Stripe answers a repeated key with the deleted endpoint."""
    seen = set()
    for _ in range(3):
        output = run()
        [made] = endpoints(stripe)
        assert made["_secret"] in output
        seen.add(made["id"])
        stripe.world.store.remove(made)
    assert len(seen) == 3


def test_an_older_version_gets_a_second_beside_it_and_is_switched_off_when_told(stripe: Simulator) -> None:
    params = {"url": URL, "enabled_events": ["*"], "api_version": "2025-03-31.basil"}
    client.connection().v1.webhook_endpoints.create(params, {"idempotency_key": "dashboard:old"})
    [old] = endpoints(stripe)
    output = run()
    assert f"{old['id']} has the same address and still delivers" in output
    assert {each["api_version"] for each in endpoints(stripe)} == {"2025-03-31.basil", API_VERSION}
    assert f"{old['id']} switched off" in run(switch_off_older=True)
    assert {each["api_version"]: each["status"] for each in endpoints(stripe)} == {
        "2025-03-31.basil": "disabled",
        API_VERSION: "enabled",
    }
    assert old["id"] not in run()


def test_an_endpoint_of_another_site_is_left_alone(stripe: Simulator, settings) -> None:
    settings.SITE_URL = "https://other.example.org"
    run()
    settings.SITE_URL = SITE
    run()
    assert sorted(each["url"] for each in endpoints(stripe)) == ["https://other.example.org/webhooks/stripe/", URL]


def test_a_live_key_needs_https(settings) -> None:
    """Refused before Stripe is called: nothing listens at this address."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = "rk_live_x", "http://127.0.0.1:9"
    settings.SITE_URL = "http://support.example.org"
    with pytest.raises(CommandError, match="not https"):
        run()


def test_a_wrong_key_and_a_silent_stripe_are_said(stripe: Simulator, settings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_wrong"
    with pytest.raises(CommandError, match="Stripe refused"):
        run()
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="did not answer"):
        run()

"""The website dies around asking Stripe: before the question, or before the answer is written. Done exactly once."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from html import unescape
from typing import Any

import pytest
import requests
from celery import Celery

from payments.crash_points import AROUND_A_WRITE
from tests.processes.reader import crowd
from tests.processes.theatre import KEY, Theatre
from tests.stage import hidden_fields, link

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")]
PASSWORD = "a long pass phrase"
ANSWERS = {"amount": "4", "reason": "requested_by_customer", "sentence": "", "tells_supporter": "on"}


def at_stripe(theatre: Theatre, path: str) -> dict[str, Any]:
    return dict(requests.get(f"{theatre.stripe}/v1/{path}", auth=(KEY, ""), timeout=30).json())


def dies_when_asked(theatre: Theatre, point: str, ask: Any) -> None:
    """The website ends at that point in the middle of the request, and is started anew."""
    theatre.control("hold")
    theatre.restart("web", CRASH_AT=point)
    with pytest.raises(requests.ConnectionError):
        ask()
    if theatre.programs.is_running("web"):
        theatre.kill("web")
    theatre.start("web")
    theatre.until("the website is back", theatre.is_ready)


def taken_up(theatre: Theatre, table: str) -> None:
    """Two minutes later beat has it asked again; only then do Stripe's events come."""
    assert [state for (state,) in theatre.sql(f"SELECT state FROM {table}")] == ["requested"]  # noqa: S608
    theatre.sql(f"UPDATE {table} SET generation_at = generation_at - interval '3 minutes'")  # noqa: S608
    with Celery(broker=theatre.valkey.url, set_as_current=False) as sender:
        sender.send_task("payments.tasks.take_up_unanswered_requests")
    answered = f"SELECT 1 FROM {table} WHERE state <> 'requested'"  # noqa: S608
    theatre.until("it is asked again", lambda: theatre.sql(answered))
    theatre.control("release")
    theatre.calm()
    assert theatre.sql(f"SELECT state, generation FROM {table}") == [("seen", 1)]  # noqa: S608


def newest_letter(theatre: Theatre) -> str:
    letter = message_from_bytes(
        max(theatre.letters(), key=lambda path: path.stat().st_mtime_ns).read_bytes(), policy=policy.default
    )
    body = letter.get_body(("plain",))  # type: ignore[attr-defined]
    return str(body.get_content())


def signed_in(theatre: Theatre) -> requests.Session:
    make = f"from django.contrib.auth.models import User; User.objects.create_superuser('marta', password='{PASSWORD}')"
    if not theatre.sql("SELECT 1 FROM auth_user WHERE username = 'marta'"):
        theatre.manage("shell", "-c", make)
    staff = requests.Session()
    login = f"{theatre.site}/admin/login/"
    fields = hidden_fields(staff.get(login, timeout=30).text) | {"username": "marta", "password": PASSWORD}
    assert staff.post(login, fields, timeout=30, allow_redirects=False).status_code == 302
    return staff


@pytest.mark.parametrize("point", AROUND_A_WRITE)
def test_a_stop_from_a_letter(theatre: Theatre, point: str) -> None:
    theatre.sql("DELETE FROM payments_subscriptionchange")
    crowd(theatre, 1, frequency="month")
    theatre.calm()
    stop = theatre.site + link(newest_letter(theatre), "/stop/")
    [(subscription,)] = theatre.sql("SELECT stripe_subscription_id FROM payments_subscription ORDER BY id DESC LIMIT 1")
    before = theatre.messages("cancelled").total()
    dies_when_asked(theatre, point, lambda: requests.post(stop, timeout=30))
    was_done = bool(at_stripe(theatre, f"subscriptions/{subscription}")["cancel_at_period_end"])
    assert was_done == (point == "after-stripe-write")
    taken_up(theatre, "payments_subscriptionchange")
    assert at_stripe(theatre, f"subscriptions/{subscription}")["cancel_at_period_end"] is True
    assert theatre.messages("cancelled").total() == before + 1
    theatre.books()


@pytest.mark.parametrize("point", AROUND_A_WRITE)
def test_a_refund_by_staff(theatre: Theatre, point: str) -> None:
    theatre.sql("DELETE FROM payments_refundrequest")
    crowd(theatre, 1)
    theatre.calm()
    [(payment, intent)] = theatre.sql(
        "SELECT id, stripe_payment_intent_id FROM payments_payment ORDER BY id DESC LIMIT 1"
    )
    staff, form = signed_in(theatre), f"{theatre.site}/admin/payments/payment/{payment}/send-back/"
    fields = hidden_fields(staff.get(form, timeout=30).text) | ANSWERS
    asked = staff.post(form, fields, timeout=30).text
    wish = re.search(r'name="wish" value="([^"]+)"', asked)
    assert wish, asked[:2000]
    sure = {name: unescape(value) for name, value in hidden_fields(asked).items()} | {"wish": wish.group(1)}
    before = theatre.messages("refund_done").total()
    dies_when_asked(theatre, point, lambda: staff.post(form, sure, timeout=30))
    made = at_stripe(theatre, f"refunds?payment_intent={intent}")["data"]
    assert len(made) == (point == "after-stripe-write")
    taken_up(theatre, "payments_refundrequest")
    [refund] = at_stripe(theatre, f"refunds?payment_intent={intent}")["data"]
    assert refund["amount"] == 400
    assert theatre.sql("SELECT refunded_amount FROM payments_payment WHERE id = %s", payment) == [(400,)]
    assert theatre.messages("refund_done").total() == before + 1
    theatre.books()

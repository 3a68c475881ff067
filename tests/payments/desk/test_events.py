"""Stripe's events at the desk: found by state, type and age; processed again singly, some, or all of a list."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from payments.inbox import replay
from payments.models import StripeEvent
from payments.stripe_api.event_types import HANDLED
from tests import factories

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
LIST = "/admin/payments/stripeevent/"
ALL = f"{LIST}work-again/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(factories.staff(), backend=BACKEND)
    return client


def event(state: str = "processed", type: str = "invoice.paid", minutes: float = 1, **values: Any) -> StripeEvent:
    return factories.event(state, type=type, received_at=ago(minutes=minutes), **values)


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def states() -> dict[str, str]:
    return dict(StripeEvent.objects.values_list("pk", "state"))


def listed(desk: Client, **filters: str) -> set[str]:
    page = desk.get(LIST, filters).content.decode()
    return {pk for pk in states() if f"{LIST}{pk.replace('_', '_5F')}/change/" in page}


def hidden(page: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page):
        fields.setdefault(name, []).append(value)
    return fields


# Finding


def test_by_state_kind_and_age(desk: Client) -> None:
    old, new = event("dead", minutes=60 * 50), event("dead", "charge.dispute.created", minutes=2)
    done = event("processed", "charge.succeeded", minutes=10)
    odd = event("ignored", "topup.created", minutes=300)
    assert listed(desk, state="dead") == {old.pk, new.pk}
    assert listed(desk, type="charge") == {done.pk}
    assert listed(desk, type="charge.dispute") == {new.pk}
    assert listed(desk, type="charge.succeeded") == {done.pk}
    assert listed(desk, type="other") == {odd.pk}
    assert listed(desk, age="hour") == {new.pk, done.pk}
    assert listed(desk, age="over-5-minutes") == {done.pk, odd.pk, old.pk}
    assert listed(desk, age="over-day", state="dead") == {old.pk}
    assert listed(desk, state="dead", type="invoice", age="day") == set()


def test_the_list_says_how_long_it_took_and_what_went_wrong(desk: Client) -> None:
    event("processed", processed_at=ago(minutes=1) + timedelta(seconds=3.4), minutes=1)
    event("dead", error="KeyError: 'items'\nolena@example.org")
    page = desk.get(LIST).content.decode()
    assert "3.4 s" in page
    assert "KeyError" in page
    assert "olena" not in page


@pytest.mark.parametrize("nonsense", ["type=%00", "type=nothing", "age=x", "state=%F0%9F%92%A9", "p=-3"])
def test_nonsense_in_the_address_breaks_nothing(desk: Client, nonsense: str) -> None:
    event("dead")
    for address in (LIST, ALL):
        assert desk.get(f"{address}?{nonsense}", follow=True).status_code == 200
    assert desk.post(f"{ALL}?unknown__field=1", {"until": "x"}).status_code == 302
    assert "dead" in states().values()


# One


def test_a_dead_and_a_processed_event_are_worked_again_after_a_question(desk: Client) -> None:
    for row in (event("dead", attempts=8, error="x"), event("processed")):
        address = reverse("admin:payments_stripeevent_retry", args=[row.pk])
        page = reverse("admin:payments_stripeevent_change", args=[row.pk])
        assert desk.get(address).status_code == 200
        assert states()[row.pk] == row.state, "a question changes nothing"
        assert "/retry/" in desk.get(page).content.decode()
        desk.post(address)
        again = StripeEvent.objects.get(pk=row.pk)
        assert (again.state, again.attempts, again.error) == ("pending", 0, "")


def test_one_that_waits_is_worked_now(desk: Client) -> None:
    later = timezone.now() + timedelta(hours=5)
    row = event("parked", next_try_at=later)
    assert "/now/" in desk.get(reverse("admin:payments_stripeevent_change", args=[row.pk])).content.decode()
    desk.post(reverse("admin:payments_stripeevent_now", args=[row.pk]))
    row.refresh_from_db()
    assert row.next_try_at <= timezone.now()
    assert row.state == "pending"


@pytest.mark.parametrize(
    "values",
    [
        {"state": "foreign", "is_livemode": True},
        {"state": "foreign", "account": "acct_other"},
        {"state": "foreign", "processed_at": datetime(2026, 1, 1, tzinfo=timezone.get_fixed_timezone(0))},
        {"state": "foreign", "type": "topup.created"},
        {"state": "ignored", "type": "topup.created"},
        {"state": "processed", "trimmed_at": datetime(2026, 1, 1, tzinfo=timezone.get_fixed_timezone(0))},
        {"state": "pending", "lease_until": datetime(2099, 1, 1, tzinfo=timezone.get_fixed_timezone(0))},
    ],
)
def test_what_must_not_be_worked_is_not_offered_and_not_done(desk: Client, values: dict[str, Any]) -> None:
    row = event(**values)
    page = desk.get(reverse("admin:payments_stripeevent_change", args=[row.pk])).content.decode()
    for slug in ("retry", "now"):
        assert f"/{slug}/" not in page
        desk.post(reverse(f"admin:payments_stripeevent_{slug}", args=[row.pk]))
    assert replay.replay(StripeEvent.objects.all()) == 0
    assert states() == {row.pk: values["state"]}


def test_ignored_before_its_type_was_handled_can_be_worked() -> None:
    event("ignored", HANDLED[0])
    assert replay.replay(StripeEvent.objects.all()) == 1


def test_what_came_while_the_key_was_of_another_mode_is_worked_once_it_is_right(desk: Client, settings) -> None:
    row = event("foreign", is_livemode=True, account="acct_ours")
    page = reverse("admin:payments_stripeevent_change", args=[row.pk])
    assert "/retry/" not in desk.get(page).content.decode()
    settings.STRIPE_SECRET_KEY, settings.STRIPE_ACCOUNT = "sk_live_ours", "acct_ours"
    assert "/retry/" in desk.get(page).content.decode()
    assert "Work 1 event again?" in desk.get(f"{ALL}?state=foreign").content.decode()
    desk.post(reverse("admin:payments_stripeevent_retry", args=[row.pk]))
    assert states() == {row.pk: "pending"}


# Some


def test_chosen_events_are_worked_again_after_a_question(desk: Client) -> None:
    stuck = [event(state) for state in ("parked", "failed", "dead", "processed")]
    foreign, other = event("foreign", is_livemode=True), event("dead")
    chosen = {"action": "retry_chosen", "_selected_action": [row.pk for row in [*stuck, foreign]]}
    asked = desk.post(LIST, chosen).content.decode()
    assert "Work 4 events again?" in asked
    assert "Left alone: 1" in asked
    assert "pending" not in states().values()
    desk.post(LIST, hidden(asked))
    found = states()
    assert {row.pk for row in stuck} == {pk for pk, state in found.items() if state == "pending"}
    assert (found[foreign.pk], found[other.pk]) == ("foreign", "dead")


# All of a list


def test_all_that_a_filter_finds_with_numbers_and_kinds_in_the_question(desk: Client) -> None:
    dead = [event("dead") for _ in range(3)] + [event("dead", "refund.failed")]
    others = [event("processed"), event("dead", minutes=60 * 30)]
    page = desk.get(LIST, {"state": "dead", "age": "day"}).content.decode()
    address = re.search(rf'href="({ALL}[^"]*)"', page)
    assert address, "the list offers it"
    there = address[1].replace("&amp;", "&")
    asked = desk.get(there).content.decode()
    assert "Work 4 events again?" in asked
    assert "invoice.paid, dead: 3" in asked
    assert "refund.failed, dead: 1" in asked
    late = event("dead", minutes=-0.1)
    done = desk.post(there, hidden(asked), follow=True)
    assert "4 events wait to be worked again." in done.content.decode()
    found = states()
    assert {found[row.pk] for row in dead} == {"pending"}
    assert [found[row.pk] for row in others] == ["processed", "dead"]
    assert found[late.pk] == "dead", "what came after the question was not asked about"


def test_ticking_all_of_the_list_leads_to_the_same_question(desk: Client) -> None:
    event("dead")
    chosen = {"action": "retry_chosen", "select_across": "1", "_selected_action": [event("dead").pk]}
    answer = desk.post(f"{LIST}?state=dead", chosen)
    assert (answer.status_code, answer["Location"]) == (302, f"{ALL}?state=dead")


def test_without_the_moment_of_the_question_nothing_is_done(desk: Client) -> None:
    event("dead")
    for until in ("", "yesterday", "2026-13-77T99:00", "2026-01-01T00:00:00"):
        desk.post(ALL, {"until": until})
    assert set(states().values()) == {"dead"}


def test_a_viewer_is_not_offered_to_work_them(client: Client) -> None:
    client.force_login(factories.staff("petro", "payments.view_stripeevent"), backend=BACKEND)
    dead = event("dead")
    page = client.get(LIST).content.decode()
    assert "retry_chosen" not in page
    assert ALL not in page
    client.post(LIST, {"action": "retry_chosen", "_selected_action": dead.pk, "confirmed": "yes"})
    assert client.get(ALL).status_code == 403
    assert client.post(ALL, {"until": timezone.now().isoformat()}).status_code == 403
    assert states() == {dead.pk: "dead"}


def test_many_are_spread_so_that_new_events_do_not_wait_behind_them(settings, monkeypatch) -> None:
    settings.STRIPE_READS_PER_SECOND = 10
    monkeypatch.setattr(replay, "AT_A_TIME", 20)
    for _ in range(50):
        event("processed")
    start = timezone.now()
    assert replay.replay(StripeEvent.objects.all()) == 50
    waits = sorted({round((row.next_try_at - start).total_seconds()) for row in StripeEvent.objects.all()})
    assert waits == [0, 2, 4]


def test_all_that_died_of_one_fault_are_found_and_processed_again(desk: Client) -> None:
    mended = [event("dead", error=f"KeyError: 'field {number}'").pk for number in range(3)]
    other = event("dead", "charge.updated", error="ValueError: something else").pk
    page = desk.get(LIST).content.decode()
    assert "?error=KeyError" in page
    assert listed(desk, state="dead", error="KeyError") == set(mended)
    question = desk.get(ALL, {"state": "dead", "error": "KeyError"}).content.decode()
    assert "Work 3 events again?" in question
    desk.post(f"{ALL}?state=dead&error=KeyError", {"until": hidden(question)["until"][0]})
    assert {states()[pk] for pk in mended} == {"pending"}
    assert states()[other] == "dead"


@pytest.mark.parametrize(
    ("options", "again"),
    [
        ({}, {"a", "b", "c"}),
        ({"type": "invoice"}, {"a"}),
        ({"type": "charge.updated"}, {"b", "c"}),
        ({"type": "charge", "error": "KeyError"}, {"b"}),
        ({"error": "Other"}, set()),
    ],
)
def test_the_command_processes_dead_events_again_as_a_set(options: dict[str, str], again: set[str]) -> None:
    died = {
        "a": event("dead", "invoice.paid", error="KeyError: 'x'").pk,
        "b": event("dead", "charge.updated", error="KeyError: 'x'").pk,
        "c": event("dead", "charge.updated", error="ValueError: y").pk,
    }
    waiting = event("failed", "charge.updated", error="KeyError: 'x'").pk
    out = StringIO()
    call_command("replay", dead=True, stdout=out, **options)
    assert {name for name, pk in died.items() if states()[pk] == "pending"} == again
    assert states()[waiting] == "failed"
    assert f"{len(again)} events wait" in out.getvalue()

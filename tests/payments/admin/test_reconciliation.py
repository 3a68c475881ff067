"""Differences at the desk: shown in words, taken or left through the rule, with the user who did it logged."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from payments.models import Difference, Reconciliation, StripeEvent
from tests import factories
from tests.stage import Stage, hidden_fields

pytestmark = pytest.mark.django_db
MAY = ("payments.view_difference", "payments.change_difference", "payments.view_reconciliation")


def sign_in(client: Client, *permissions: str) -> Client:
    client.force_login(factories.staff("marta", *permissions), backend="django.contrib.auth.backends.ModelBackend")
    return client


def difference(**values: str) -> Difference:
    ordinary = {"kind": "subscription", "stripe_id": "sub_1", "field": "status", "ours": "active", "theirs": "canceled"}
    return Difference.objects.create(**{**ordinary, **values})


def page(client: Client, row: Difference, act: str = "change") -> str:
    return client.get(f"/admin/payments/difference/{row.pk}/{act}/").content.decode()


def test_values_read_as_people_read_them(client: Client) -> None:
    sign_in(client, *MAY)
    payment = factories.payment(stripe_charge_id="ch_1")
    text = page(
        client, difference(kind="payment", stripe_id="ch_1", field="amount", ours="1000 EUR", theirs="1001 EUR")
    )
    assert "€10.00" in text
    assert "€10.01" in text
    assert f"/admin/payments/payment/{payment.pk}/change/" in text
    line = difference(kind="balance_transaction", stripe_id="txn_1", field="missing", ours="", theirs="1000 EUR, 44")
    assert "fee €0.44" in page(client, line)
    ends = difference(field="current_period_end", ours="2026-01-20T12:00:00+00:00", theirs="no such thing")
    assert "20 Jan 2026, 14:00" in page(client, ends)
    assert "no such thing" in page(client, ends)
    assert "past due" in page(client, difference(stripe_id="sub_2", theirs="past_due"))


def test_open_ones_first_and_all_on_demand(client: Client) -> None:
    sign_in(client, *MAY)
    difference()
    done = difference(stripe_id="sub_2")
    Difference.objects.filter(pk=done.pk).update(state="noted", settled_at=timezone.now())
    listed = client.get("/admin/payments/difference/").content.decode()
    assert "sub_1" in listed
    assert "sub_2" not in listed
    assert "sub_2" in client.get("/admin/payments/difference/?state=all").content.decode()
    assert "sub_2" in client.get("/admin/payments/difference/?state=all&q=sub_2").content.decode()


def test_taking_asks_first(client: Client) -> None:
    sign_in(client, *MAY)
    row = difference()
    assert "is read from Stripe again" in page(client, row, "take")
    assert not StripeEvent.objects.exists()
    client.post(f"/admin/payments/difference/{row.pk}/take/")
    row.refresh_from_db()
    assert (row.state, row.settled_by.username) == ("taken", "marta")
    assert StripeEvent.objects.get().type == "sync.subscription"
    assert LogEntry.objects.get().change_message == "take"
    client.post(f"/admin/payments/difference/{row.pk}/take/")
    assert StripeEvent.objects.count() == 1


def test_a_note_is_asked_for_and_kept(client: Client) -> None:
    sign_in(client, *MAY)
    row = difference()
    client.post(f"/admin/payments/difference/{row.pk}/note/", {"note": " "})
    row.refresh_from_db()
    assert row.state == "open"
    client.post(f"/admin/payments/difference/{row.pk}/note/", {"note": "Agreed with Stripe."})
    row.refresh_from_db()
    assert (row.state, row.note) == ("noted", "Agreed with Stripe.")


def test_what_cannot_be_taken_is_not_offered(client: Client) -> None:
    sign_in(client, *MAY)
    wrong = difference(kind="balance_transaction", stripe_id="txn_1", field="fee", ours="44 EUR", theirs="45 EUR")
    text = page(client, wrong)
    assert "Leave it, with a note" in text
    assert "Take Stripe" not in text


def test_stripe_away_is_said(client: Client, settings) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    sign_in(client, *MAY)
    row = difference(kind="payment", stripe_id="ch_1", field="missing", ours="", theirs="1000 EUR")
    answer = client.post(f"/admin/payments/difference/{row.pk}/take/")
    assert "Stripe does not answer at the moment" in answer.content.decode()
    row.refresh_from_db()
    assert row.state == "open"


@pytest.mark.parametrize("act", ["take", "note"])
def test_looking_is_not_settling(client: Client, act: str) -> None:
    sign_in(client, "payments.view_difference")
    row = difference()
    assert client.get(f"/admin/payments/difference/{row.pk}/change/").status_code == 200
    assert client.post(f"/admin/payments/difference/{row.pk}/{act}/", {"note": "x"}).status_code == 403


def test_runs_with_what_they_found(client: Client) -> None:
    sign_in(client, *MAY)
    now = timezone.now()
    run = Reconciliation.objects.create(kind="objects", since=now, until=now, finished_at=now, started_at=now, found=1)
    Difference.objects.filter(pk=difference().pk).update(found_at=now)
    Reconciliation.objects.create(kind="events", since=now, until=now, finished_at=now, error="StripeUnavailable: x")
    listed = client.get("/admin/payments/reconciliation/").content.decode()
    assert "stopped" in listed
    text = client.get(f"/admin/payments/reconciliation/{run.pk}/change/").content.decode()
    assert "New differences" in text
    assert "canceled" in text


def test_the_sign_on_the_first_page(client: Client) -> None:
    sign_in(client, *MAY)
    now = timezone.now()
    assert "They were never found the same yet" in client.get("/admin/").content.decode()
    for kind in ("objects", "events"):
        Reconciliation.objects.create(kind=kind, since=now, until=now, started_at=now, finished_at=now)
    home = client.get("/admin/").content.decode()
    assert '<b class="state good">In step with Stripe</b>' in home
    difference()
    home = client.get("/admin/").content.decode()
    assert '<b class="state late">Not in step with Stripe</b>' in home
    assert "1 difference waits for a person." in home


def test_many_at_once(client: Client) -> None:
    sign_in(client, *MAY)
    rows = [difference(stripe_id=f"sub_{number}") for number in range(3)]
    rows.append(difference(kind="balance_transaction", stripe_id="txn_1", field="fee"))
    chosen = {"action": "take_chosen", "_selected_action": [row.pk for row in rows]}
    asked = client.post("/admin/payments/difference/", chosen)
    assert "Take Stripe’s for 3 differences?" in asked.content.decode()
    assert not StripeEvent.objects.exists()
    client.post("/admin/payments/difference/", {**chosen, "confirmed": "yes"})
    assert StripeEvent.objects.filter(type="sync.subscription").count() == 3
    assert sorted(Difference.objects.values_list("state", flat=True)) == ["open", "taken", "taken", "taken"]


ALL = "/admin/payments/difference/take-all/"


def test_all_of_a_list_are_taken_some_at_a_time(client: Client) -> None:
    """There are more than a form has fields for. One found after the question is left out."""
    sign_in(client, *MAY)
    for number in range(230):
        difference(stripe_id=f"sub_{number}")
    difference(kind="balance_transaction", stripe_id="txn_1", field="fee")
    chosen = {"action": "take_chosen", "select_across": "1", "_selected_action": [Difference.objects.first().pk]}
    sent_on = client.post("/admin/payments/difference/?q=sub_229", chosen)
    assert (sent_on.status_code, sent_on["Location"]) == (302, f"{ALL}?q=sub_229")
    assert "Take Stripe’s for 1 difference?" in client.get(sent_on["Location"]).content.decode()
    asked = client.get(ALL).content.decode()
    assert "Take Stripe’s for 230 differences?" in asked
    assert "taken 100 at a time" in asked
    late = difference(stripe_id="sub_late")
    for left in (130, 30):
        asked = client.post(ALL, hidden_fields(asked)).content.decode()
        assert "for 100 of 100 chosen" in asked
        assert f"Left to take: {left}." in asked
        assert f"Take Stripe’s for {left} differences?" in asked
    assert client.post(ALL, hidden_fields(asked)).status_code == 302
    assert StripeEvent.objects.filter(type="sync.subscription").count() == 230
    late.refresh_from_db()
    assert late.state == "open"


def test_what_stripe_has_nothing_of_is_tried_once_and_holds_up_no_other(stage: Stage) -> None:
    client = sign_in(stage.client, *MAY)
    for number in range(101):
        difference(kind="payment", stripe_id=f"ch_{number}", field="missing", ours="", theirs="1000 EUR")
    known = difference(stripe_id="sub_1")
    asked = client.post(ALL, hidden_fields(client.get(ALL).content.decode())).content.decode()
    assert "for 0 of 100 chosen" in asked
    assert "Left to take: 2." in asked
    done = client.post(ALL, hidden_fields(asked), follow=True).content.decode()
    assert "for 1 of 2 chosen" in done
    known.refresh_from_db()
    assert known.state == "taken"


def test_taking_many_stops_when_stripe_does_not_answer(client: Client, settings) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    sign_in(client, *MAY)
    for number in range(40):
        difference(kind="payment", stripe_id=f"ch_{number}", field="missing", ours="", theirs="1000 EUR")
    asked = client.get(ALL).content.decode()
    answer = client.post(ALL, hidden_fields(asked), follow=True)
    assert "Stripe does not answer at the moment." in answer.content.decode()
    assert Difference.objects.filter(state="open").count() == 40


@pytest.mark.parametrize("sent", [{}, {"after": "x", "upto": "\x00"}, {"after": "-1", "upto": "9" * 40}])
def test_without_the_question_none_are_taken(client: Client, sent: dict[str, str]) -> None:
    sign_in(client, *MAY)
    difference()
    assert client.post(ALL, sent).status_code == 302
    assert client.get(f"{ALL}?ours__regex=(").status_code == 302
    assert Difference.objects.get().state == "open"


def test_who_may_only_look_takes_none(client: Client) -> None:
    sign_in(client, "payments.view_difference")
    assert client.get(ALL).status_code == 403

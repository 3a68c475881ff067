"""The acts of staff: GET only shows what will happen, POST calls the rule, and the user who did it is logged."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from members.models import Message, Supporter, TimelineEntry
from payments import cases
from payments.models import Case, Subscription
from tests import factories
from tests.stage import Stage

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


def act(row, slug: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{slug}", args=[row.pk])


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(factories.staff(), backend=BACKEND)
    return client


# Addresses


def test_an_address_is_corrected_after_a_page_that_says_what_follows(desk: Client) -> None:
    who = factories.supporter(email="olnea@example.org")
    asked = desk.get(act(who, "correct-address"))
    assert "Stripe is not told" in asked.content.decode()
    assert "Messages that wait and later ones go to the new address" in asked.content.decode()
    assert Supporter.objects.get().email == "olnea@example.org"
    done = desk.post(act(who, "correct-address"), {"email": "olena@example.org"}, follow=True)
    assert "The address is corrected." in done.content.decode()
    assert Supporter.objects.get().email == "olena@example.org"
    assert TimelineEntry.objects.get().actor.username == "marta"
    assert "by marta" in done.content.decode()
    assert LogEntry.objects.get().change_message == "correct-address"


def test_an_address_that_is_taken_or_none_is_explained_on_the_page(desk: Client) -> None:
    who, other = factories.supporter(), factories.supporter()
    taken = desk.post(act(who, "correct-address"), {"email": other.email.upper()})
    assert "Another supporter has this address" in taken.content.decode()
    wrong = desk.post(act(who, "correct-address"), {"email": "nonsense"})
    assert wrong.status_code == 200
    assert "valid email" in wrong.content.decode()
    assert not TimelineEntry.objects.exists()
    assert not LogEntry.objects.exists()


# Messages


def test_a_message_is_sent_again_as_a_message_of_its_own(desk: Client) -> None:
    who = factories.supporter()
    first = factories.message(who)
    assert who.email in desk.get(act(first, "resend")).content.decode()
    assert Message.objects.count() == 1
    desk.post(act(first, "resend"))
    copy = Message.objects.exclude(pk=first.pk).get()
    assert (copy.kind, copy.to_email, copy.state) == (first.kind, who.email, "pending")
    entry = TimelineEntry.objects.get()
    assert (entry.action, entry.actor.username, entry.details["copy"]) == ("message.resent", "marta", copy.pk)


def test_a_message_that_waits_is_not_sent_again(desk: Client) -> None:
    waiting = factories.message(factories.supporter(), state="pending", sent_at=None)
    assert act(waiting, "resend") not in desk.get(page_of(waiting)).content.decode()
    answer = desk.post(act(waiting, "resend"), follow=True)
    assert "Nothing was done" in answer.content.decode()
    assert Message.objects.count() == 1


def page_of(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


# Cases


def test_a_case_is_settled_with_a_note_and_only_with_one(desk: Client) -> None:
    case = cases.open_case("duplicate_payment", "a", factories.supporter())
    assert desk.post(act(case, "settle"), {"note": "  "}).status_code == 200
    assert Case.objects.get().settled_at is None
    done = desk.post(act(case, "settle"), {"note": "Meant twice."}, follow=True)
    assert "The case is settled." in done.content.decode()
    assert (Case.objects.get().note, Case.objects.get().settled_by.username) == ("Meant twice.", "marta")
    again = desk.post(act(case, "settle"), {"note": "Refunded."}, follow=True)
    assert "Nothing was done" in again.content.decode()
    assert Case.objects.get().note == "Meant twice."


# Subscriptions


def test_a_subscription_is_stopped_at_stripe_and_the_patron_told(desk: Client, stage: Stage) -> None:
    stage.join()
    agreed = Subscription.objects.get()
    asked = desk.get(act(agreed, "stop")).content.decode()
    assert "Stop €10 a month?" in asked
    assert "runs until" in asked
    assert not agreed.changes.exists()
    desk.post(act(agreed, "stop"), {"words": "Asked by phone."})
    change = agreed.changes.get()
    assert (change.surface, change.words) == ("staff", "Asked by phone.")
    entry = TimelineEntry.objects.get(action="subscription.stop_requested")
    assert entry.actor.username == "marta"
    stage.settle_down()
    agreed.refresh_from_db()
    assert agreed.is_stopping
    assert act(agreed, "stop") not in desk.get(page_of(agreed)).content.decode()
    nothing = desk.post(act(agreed, "stop"), follow=True)
    assert "Nothing was done" in nothing.content.decode()
    assert agreed.changes.count() == 1


def test_when_stripe_does_not_answer_the_wish_is_kept_and_one_is_told(desk: Client, settings) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = "sk_test_x", "http://127.0.0.1:9"
    agreed = factories.subscription()
    answer = desk.post(act(agreed, "stop"), {"words": ""})
    assert answer.status_code == 200
    assert "Stripe does not answer now" in answer.content.decode()
    assert agreed.changes.get().state == "requested"
    assert not LogEntry.objects.exists()


# Permissions


@pytest.mark.parametrize("permissions", [("payments.view_case",), ("payments.view_case", "payments.change_payment")])
def test_looking_is_not_acting(client: Client, permissions: tuple[str, ...]) -> None:
    client.force_login(factories.staff("petro", *permissions), backend=BACKEND)
    case = cases.open_case("duplicate_payment", "a")
    assert act(case, "settle") not in client.get(page_of(case)).content.decode()
    assert client.get(act(case, "settle")).status_code == 403
    assert client.post(act(case, "settle"), {"note": "x"}).status_code == 403
    assert Case.objects.get().settled_at is None


def test_somebody_who_may_change_cases_settles_them(client: Client) -> None:
    client.force_login(factories.staff("petro", "payments.change_case"), backend=BACKEND)
    case = cases.open_case("duplicate_payment", "a")
    client.post(act(case, "settle"), {"note": "Meant twice."})
    assert Case.objects.get().settled_by.username == "petro"


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    case = cases.open_case("duplicate_payment", "a")
    answer = client.post(act(case, "settle"), {"note": "x"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_a_form_from_elsewhere_is_refused() -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(factories.staff(), backend=BACKEND)
    case = cases.open_case("duplicate_payment", "a")
    assert careful.post(act(case, "settle"), {"note": "x"}).status_code == 403
    assert Case.objects.get().settled_at is None


# The page of an event


def test_an_event_shows_its_payload_without_the_person_and_leads_to_our_rows(desk: Client) -> None:
    paid = factories.payment()
    found = {"id": "in_1", "customer_email": "olena@example.org", "payment_intent": paid.stripe_payment_intent_id}
    body = json.dumps({"data": {"object": found}}).encode()
    failed = factories.event("failed", body, error="KeyError: olena@example.org", id="evt_1")
    page = desk.get("/admin/payments/stripeevent/evt_5F1/change/").content.decode()
    assert page_of(paid) in page
    assert failed.type in page
    assert "olena" not in page


@pytest.mark.parametrize("rubbish", [b"", b"\xff\x00", b"[" * 50_000, b'"\\ud800"'])
def test_a_payload_of_rubbish_has_a_page_too(desk: Client, rubbish: bytes) -> None:
    factories.event("dead", rubbish, id="evt_1")
    assert desk.get("/admin/payments/stripeevent/evt_5F1/change/").status_code == 200


# Disputes


def test_the_supporter_is_asked_about_a_dispute_only_when_staff_want_it_and_once(desk: Client) -> None:
    gift = factories.subscription()
    payment = factories.payment(gift.supporter, subscription=gift, frequency="month")
    row = factories.dispute(payment)
    assert not Message.objects.exists()
    shown = desk.post(act(row, "ask"), {}).content.decode()
    assert "Was something wrong with your gift?" in shown
    assert not Message.objects.exists()
    for _twice in range(2):
        done = desk.post(act(row, "ask"), {"request_id": "00000000-0000-4000-8000-000000000001"}, follow=True)
        assert "The letter is on its way." in done.content.decode()
    letter = Message.objects.get()
    assert (letter.kind, letter.supporter) == ("dispute_note", gift.supporter)
    assert "Write to the supporter" not in done.content.decode()


def test_nobody_is_asked_about_money_that_was_not_taken_or_came_back(desk: Client) -> None:
    row = factories.dispute(factories.payment(), withdrawn_amount=0)
    answer = desk.post(act(row, "ask"), {"request_id": "00000000-0000-4000-8000-000000000001"}, follow=True)
    assert "Nothing was done" in answer.content.decode()
    assert not Message.objects.exists()

"""The page with everything about a supporter: correct sums, links to every row, a fixed number of queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members import clock
from members.models import Supporter, TimelineEntry
from payments import cases
from payments.desk import columns
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(factories.staff(), backend="django.contrib.auth.backends.ModelBackend")
    return client


def page_of(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def figures(client: Client, who: Supporter) -> dict[str, tuple[list[str], str]]:
    return {name: (values, words) for name, values, words in client.get(page_of(who)).context["figures"]}


def busy_supporter(times: int = 1) -> Supporter:
    who = factories.supporter(name="Олена Коваль")
    for number in range(times):
        belongs = factories.membership(who, paid_through=clock.today() + timedelta(days=9))
        agreed = factories.subscription(who, membership=belongs)
        paid = factories.payment(who, subscription=agreed, frequency="month")
        factories.refund(paid, 100)
        factories.message(who)
        factories.checkout(who)
        cases.open_case("duplicate_payment", f"{who.pk}:{number}", who)
        TimelineEntry.objects.create(supporter=who, action="message.resent", details={"kind": "receipt"})
    return who


def test_sums_are_without_what_went_back_and_never_mix_currencies(desk: Client) -> None:
    who = factories.supporter()
    factories.refund(factories.payment(who, amount=2500), 500)
    factories.payment(who, amount=1000)
    factories.dispute(factories.payment(who, amount=3000))
    factories.payment(who, amount=40000, currency="UAH")
    factories.payment(who, amount=1500, currency="JPY")
    factories.payment(who, amount=99999, status="failed")
    factories.payment(who, amount=99999, status="processing")
    factories.payment(amount=77777)
    values, words = figures(desk, who)["Given in all"]
    assert values == ["€30.00", "¥1,500", "₴400.00"]
    assert words == "5 gifts, less what went back"


def test_a_patron_says_what_comes_next(desk: Client) -> None:
    who = factories.supporter()
    factories.membership(who, paid_through=clock.today() + timedelta(days=9))
    factories.subscription(who, renews_on=clock.today() + timedelta(days=9), method="Visa 4242")
    factories.subscription(who, status="canceled", amount=5000)
    shown = figures(desk, who)
    assert shown["Gives"] == (["€10 a month"], "Visa 4242")
    assert shown["Next payment"][1] == "€10.00"
    assert "Patron" in str(desk.get(page_of(who)).context["patron_status"])


def test_a_subscription_that_stops_has_no_next_payment(desk: Client) -> None:
    who = factories.supporter()
    factories.subscription(who, cancel_at_period_end=True)
    assert figures(desk, who)["Next payment"][1] == "No subscription goes on."


def test_somebody_who_only_gave_once_is_not_a_patron(desk: Client) -> None:
    who = factories.payment().supporter
    page = desk.get(page_of(who)).content.decode()
    assert "Not a patron" in page
    assert figures(desk, who)["Patron since"][1] == "Never a patron."


def test_every_row_is_linked(desk: Client) -> None:
    who = busy_supporter()
    page = desk.get(page_of(who)).content.decode()
    rows = [
        who.payments.get(),
        who.subscriptions.get(),
        who.messages.get(),
        who.checkouts.get(),
        who.cases.get(),
        who.payments.get().refunds.get(),
    ]
    for row in rows:
        assert page_of(row) in page, row._meta.model_name
    assert "Олена Коваль" in page


def test_what_happened_is_told_newest_first(desk: Client) -> None:
    who = factories.supporter()
    old = datetime(2025, 1, 1, tzinfo=UTC)
    factories.payment(who, created_at=old + timedelta(days=3))
    factories.payment(who, created_at=old + timedelta(days=1), status="failed", failure_code="expired_card")
    TimelineEntry.objects.create(supporter=who, action="message.resent", happened_at=old + timedelta(days=2))
    TimelineEntry.objects.create(supporter=who, action="something.new", happened_at=old)
    words = [str(happening.words) for happening in desk.get(page_of(who)).context["happenings"]]
    assert words == ["Gift of €10.00 received", "Message sent again", "Payment of €10.00 failed", "something.new"]


def test_more_rows_ask_no_more_queries(desk: Client) -> None:
    few, many = page_of(busy_supporter(1)), page_of(busy_supporter(15))
    assert queries(desk, many) == queries(desk, few) <= 24


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    return len(asked)


def test_many_payments_are_cut_with_a_link_to_all_of_them(desk: Client) -> None:
    who = factories.supporter()
    for _ in range(21):
        factories.payment(who)
    factories.payment()
    page = desk.get(page_of(who))
    table = page.context["parts"][0]
    assert len(table.rows) == 20
    everything = desk.get(table.more)
    assert everything.context["cl"].result_count == 21


def test_each_letter_can_be_opened_and_sent_again_and_says_whether_it_arrived(desk: Client) -> None:
    who = factories.supporter()
    came_back = factories.message(who, delivery="bounced", delivery_at=clock.now())
    waits = factories.message(who, state="pending", sent_at=None, body_html="")
    shown = desk.get(page_of(who)).content.decode()
    assert '<span class="state bad">came back</span>' in shown
    assert reverse("admin:members_message_letter", args=[came_back.pk]) in shown
    assert reverse("admin:members_message_resend", args=[came_back.pk]) in shown
    assert reverse("admin:members_message_resend", args=[waits.pk]) not in shown
    assert "came back" in desk.get(page_of(came_back)).content.decode()


def test_sending_again_is_offered_to_whoever_may(client: Client) -> None:
    who = factories.supporter()
    sent = factories.message(who)
    looks = factories.staff("petro", "members.view_supporter", "members.view_message")
    client.force_login(looks, backend="django.contrib.auth.backends.ModelBackend")
    shown = client.get(page_of(who)).content.decode()
    assert reverse("admin:members_message_letter", args=[sent.pk]) in shown
    assert reverse("admin:members_message_resend", args=[sent.pk]) not in shown


MONEY = ("12,345", "Given in all", "Next payment", "sent back", "Asked Stripe", "Refunds", "Subscriptions", "Payments")


def seen_by(client: Client, who: Supporter, *permissions: str) -> str:
    client.force_login(factories.staff("petro", *permissions), backend="django.contrib.auth.backends.ModelBackend")
    return client.get(page_of(who)).content.decode().partition("<h1>")[2]


def rich_supporter() -> Supporter:
    who = factories.supporter(email="olena@example.org")
    agreed = factories.subscription(who, amount=1_234_500, membership=factories.membership(who))
    paid = factories.payment(who, amount=1_234_500, subscription=agreed, frequency="month")
    factories.refund(paid, 1_234_500)
    for action in ("payment.refund_requested", "subscription.amount_requested"):
        TimelineEntry.objects.create(supporter=who, action=action, details={"amount": 1_234_500, "currency": "EUR"})
    TimelineEntry.objects.create(supporter=who, action="supporter.address_corrected")
    factories.checkout(who, amount=1_234_500)
    return who


def test_who_may_see_people_only_sees_no_money_of_theirs(client: Client) -> None:
    page = seen_by(client, rich_supporter(), "members.view_supporter")
    assert "olena@example.org" in page
    assert "Address corrected" in page
    assert [each for each in MONEY if each in page] == []
    listed = client.get(reverse("admin:members_supporter_changelist")).content.decode()
    assert "olena@example.org" in listed
    assert "12,345" not in listed


def test_who_may_see_payments_too_sees_the_sum_and_no_subscription(client: Client) -> None:
    page = seen_by(client, rich_supporter(), "members.view_supporter", "payments.view_payment")
    assert "Given in all" in page
    assert "Asked Stripe to send money back" in page
    assert [each for each in MONEY if each in page and each != "12,345"] == [
        "Given in all",
        "sent back",
        "Asked Stripe",
        "Payments",
    ]


def test_a_paused_gift_says_so_and_until_when(desk: Client) -> None:
    row = factories.subscription(collection_paused=True, resumes_at=clock.now() + timedelta(days=40))
    resumes = columns.day(clock.day_of(row.resumes_at))
    assert figures(desk, row.supporter)["Next payment"][0] == [resumes]
    page = desk.get(page_of(row.supporter)).content.decode()
    assert ">paused<" in page
    row.resumes_at = None
    row.save()
    assert figures(desk, row.supporter)["Next payment"][0] == ["–"]

"""The desk's lists: their columns and searches; nobody can change money; more rows cause no more queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members import clock
from members.models import Consent, Message, Supporter
from payments import cases
from payments.models import (
    Case,
    Checkout,
    Dispute,
    LedgerEntry,
    Payment,
    Payout,
    Refund,
    StripeEvent,
    Subscription,
)
from tests import colleagues, factories

pytestmark = pytest.mark.django_db

PEOPLE = [Supporter, Message, Consent]
MONEY = [Checkout, Subscription, Payment, Refund, Dispute, Payout, LedgerEntry]
MODELS = [*PEOPLE, *MONEY, StripeEvent, Case]


def list_of(model: type) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


def one_of_everything() -> dict[type, object]:
    """Create a row of every model: a patron with a subscription, a partly refunded payment, and related rows."""
    who = factories.supporter()
    belongs = factories.membership(who)
    given = factories.checkout(who, campaign=factories.Campaign.objects.first())
    agreed = factories.subscription(who, membership=belongs, checkout=given)
    paid = factories.payment(who, subscription=agreed, frequency="month", checkout=given)
    return {
        Supporter: who,
        Message: factories.message(who),
        Consent: given.consent,
        Checkout: given,
        Subscription: agreed,
        Payment: paid,
        Refund: factories.refund(paid, 300),
        Dispute: factories.dispute(paid, amount=200),
        Payout: factories.payout(),
        LedgerEntry: factories.ledger_lines(paid),
        StripeEvent: factories.event(id=f"evt_1AB{paid.pk}"),
        Case: cases.open_case("duplicate_payment", f"test:{paid.pk}", who, {"payments": [paid.pk]}),
    }


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(factories.staff(), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_every_list_and_page_opens_and_says_what_it_shows(desk: Client) -> None:
    rows = one_of_everything()
    for model in MODELS:
        listed = desk.get(list_of(model), {"state": "all"} if model is Case else {})
        assert listed.status_code == 200, model
        assert page_of(rows[model]) in listed.content.decode(), model
        assert desk.get(page_of(rows[model])).status_code == 200, model


def test_titles_name_nobody(desk: Client) -> None:
    for row in one_of_everything().values():
        page = desk.get(page_of(row)).content.decode()
        title = page.partition("<title>")[2].partition("</title>")[0]
        assert title.strip()
        assert "Reader" not in title
        assert "@" not in title


def test_nobody_adds_changes_or_deletes_not_even_a_superuser(desk: Client) -> None:
    rows = one_of_everything()
    for model in MODELS:
        before = model.objects.filter(pk=rows[model].pk).values().get()
        address = page_of(rows[model])
        add = f"{list_of(model)}add/"
        assert desk.get(add).status_code == 403, model
        assert desk.post(add, {}).status_code == 403, model
        assert desk.post(address.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403, model
        desk.post(address, {"amount": "1", "email": "x@example.org"})
        chosen = {"action": "delete_selected", "_selected_action": rows[model].pk, "post": "yes"}
        desk.post(list_of(model), chosen)
        assert model.objects.filter(pk=rows[model].pk).values().get() == before, model


def test_no_list_of_ours_offers_to_delete(rf) -> None:
    request = rf.get("/")
    request.user = factories.staff()
    for model in MODELS:
        actions = admin.site.get_model_admin(model).get_actions(request)
        assert "delete_selected" not in actions, model


@pytest.mark.parametrize("model", MODELS)
def test_more_rows_ask_no_more_queries(desk: Client, model: type) -> None:
    one_of_everything()
    few = count_queries(desk, list_of(model))
    for _ in range(6):
        one_of_everything()
    many = count_queries(desk, list_of(model))
    assert many == few
    assert many <= 12


def count_queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    return len(asked)


def found(client: Client, model: type, term: str, **query: str) -> set[int | str]:
    answer = colleagues.search(client, list_of(model), term, **query)
    assert answer.status_code == 200
    return {row.pk for row in answer.context["cl"].result_list}


def test_people_are_found_by_name_address_reference_and_stripe_ids(desk: Client) -> None:
    olena = factories.supporter(name="Олена Коваль", email="Olena@Example.org")
    factories.supporter(name="Somebody Else")
    checkout = factories.checkout(olena, reference="HR-7K4M-2Q")
    subscription = factories.subscription(olena)
    payment = factories.payment(olena, stripe_invoice_id="in_abc123")
    refund = factories.refund(payment, 100)
    terms = [
        "олена",
        "КОВАЛЬ",
        "коваль олена",
        "OLENA@example",
        "HR-7K4M-2Q",
        "hr7k4m2q",
        checkout.stripe_session_id,
        subscription.stripe_subscription_id,
        subscription.stripe_customer_id,
        payment.stripe_payment_intent_id,
        "in_abc123",
        payment.stripe_charge_id,
        refund.stripe_refund_id,
    ]
    for term in terms:
        assert found(desk, Supporter, term) == {olena.pk}, term
    for nobody in ("Оленка", "HR-7K4M-2R", "cus_unknown", "%", "_"):
        assert found(desk, Supporter, nobody) == set(), nobody


def test_money_is_found_by_the_person_behind_it(desk: Client) -> None:
    olena = factories.supporter(name="Олена Коваль")
    mine = factories.payment(olena)
    lines = factories.ledger_lines(mine)
    back = factories.refund(mine, 100)
    other = factories.payment()
    assert found(desk, Payment, "олена") == {mine.pk}
    assert found(desk, Payment, other.stripe_charge_id) == {other.pk}
    assert found(desk, Refund, "олена") == {back.pk}
    assert lines.pk in found(desk, LedgerEntry, "олена")
    assert found(desk, LedgerEntry, lines.source) == {lines.pk}


def test_a_checkout_that_never_finished_is_found_by_what_was_typed(desk: Client) -> None:
    left = factories.checkout(None, name="Петро", email="petro@example.org")
    factories.checkout(None)
    assert found(desk, Checkout, "петро") == {left.pk}
    assert found(desk, Checkout, "PETRO@") == {left.pk}


def filtered(client: Client, model: type, **query: str) -> set[int | str]:
    return found(client, model, "", **query)


def test_filters_of_payments(desk: Client) -> None:
    euro, hryvnia = factories.payment(), factories.payment(currency="UAH", status="failed")
    part, whole = factories.payment(), factories.payment()
    factories.refund(part, 100)
    factories.refund(whole, 1000)
    assert filtered(desk, Payment, currency="UAH") == {hryvnia.pk}
    assert filtered(desk, Payment, status__exact="failed") == {hryvnia.pk}
    assert filtered(desk, Payment, refunds="part") == {part.pk}
    assert filtered(desk, Payment, refunds="whole") == {whole.pk}
    assert filtered(desk, Payment, supporter=str(euro.supporter_id)) == {euro.pk}
    assert len(filtered(desk, Payment, supporter="nonsense")) == 4


def paid_for(days: int, who: Supporter | None = None) -> Supporter:
    """Return a supporter whose membership is paid for this many days from today, with fourteen days of grace."""
    return factories.membership(who, paid_through=clock.today() + timedelta(days=days)).supporter


def test_filters_of_supporters(desk: Client) -> None:
    active, grace, lapsed, none = paid_for(0), paid_for(-5), paid_for(-60), factories.supporter()
    paid_for(-90, active)
    for _ in range(2):
        factories.subscription(active)
    factories.subscription(grace, frequency="year")
    assert filtered(desk, Supporter, membership="active") == {active.pk}
    assert filtered(desk, Supporter, membership="grace") == {grace.pk}
    assert filtered(desk, Supporter, membership="lapsed") == {lapsed.pk}
    assert filtered(desk, Supporter, membership="none") == {none.pk}
    assert filtered(desk, Supporter, gives="two") == {active.pk}
    assert filtered(desk, Supporter, gives="year") == {grace.pk}


def test_filters_of_subscriptions_events_and_cases(desk: Client) -> None:
    stopping, going = factories.subscription(cancel_at_period_end=True), factories.subscription()
    assert filtered(desk, Subscription, stops="soon") == {stopping.pk}
    assert filtered(desk, Subscription, stops="no") == {going.pk}
    dead, pending = factories.event("dead"), factories.event("pending")
    factories.event("processed")
    assert filtered(desk, StripeEvent, state="stuck") == {dead.pk}
    assert filtered(desk, StripeEvent, state="waiting") == {pending.pk}
    settled = cases.close(cases.open_case("duplicate_payment", "a"), factories.staff("iryna"), "Meant twice.")
    waiting = cases.open_case("duplicate_payment", "b")
    assert filtered(desk, Case) == {waiting.pk}
    assert filtered(desk, Case, state="settled") == {settled.pk}


def test_staff_see_only_what_they_may(client: Client) -> None:
    rows = one_of_everything()
    viewer = factories.staff("petro", "members.view_supporter")
    client.force_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(list_of(Supporter)).status_code == 200
    assert client.get(list_of(Payment)).status_code == 403
    assert client.get(page_of(rows[Payment])).status_code == 403
    home = client.get("/admin/").content.decode()
    assert list_of(Supporter) in home
    assert list_of(Payment) not in home


def test_odd_addresses_are_answered_without_an_error(desk: Client) -> None:
    too_large = "999999999999999999999"
    for row in ("payment/%00", "stripeevent/%00", f"payment/{too_large}", "payment/x"):
        address = f"/admin/payments/{row}/change/"
        assert desk.get(address).status_code == 302, address
    for query in (
        "status__exact=%00",
        "supporter=%00",
        "p=99999",
        "o=99",
        "created_at__gte=never",
        "e=1",
        "currency=ZZZ",
        "q=%00",
    ):
        assert desk.get(f"{list_of(Payment)}?{query}").status_code in (200, 302), query


def test_a_whole_large_table_is_counted_by_postgresqls_estimate(desk: Client) -> None:
    factories.payment()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = 5000000 WHERE relname = 'payments_payment'")
    assert desk.get(list_of(Payment)).context["cl"].result_count == 5_000_000
    assert desk.get(list_of(Payment), {"status__exact": "failed"}).context["cl"].result_count == 0

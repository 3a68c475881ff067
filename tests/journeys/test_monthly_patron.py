"""A reader becomes a monthly patron, is thanked once, renews, and stops from a letter."""

from __future__ import annotations

from datetime import timedelta

from members import clock
from members.models import Message, Supporter
from payments.models import LedgerEntry, Payment, Subscription
from tests.stage import Stage, link


def test_one_monthly_gift_goes_all_the_way(stage: Stage) -> None:
    checkout = stage.join("month", amount="10")

    supporter = Supporter.objects.get()
    assert (supporter.email, supporter.name, supporter.language) == ("olena@example.org", "Олена Коваль", "en")
    payment = Payment.objects.get()
    assert (payment.amount, payment.currency, payment.status) == (1000, "EUR", "succeeded")
    assert payment.checkout == checkout
    assert Subscription.objects.get().status == "active"
    assert supporter.memberships.get().state_on(clock.today()) == "active"
    assert sorted(LedgerEntry.objects.values_list("kind", flat=True)) == ["charge", "settlement"]
    assert [(m.kind, m.state) for m in Message.objects.all()] == [("thanks_first_recurring", "sent")]
    books = stage.books()
    assert books["broken"] == []
    assert books["currencies"]["EUR"] == {
        "payments": 1,
        "gross": 1000,
        "fees": 39,
        "refunds": 0,
        "disputes": 0,
        "net": 961,
    }


def test_twelve_renewals_then_stopped_from_the_letter(stage: Stage) -> None:
    stage.join("month", amount="10")
    for _ in range(12):
        stage.sleep_until(Subscription.objects.get().renews_on - timedelta(days=3))
        stage.advance(4)

    assert Payment.objects.filter(status="succeeded").count() == 13
    assert Message.objects.filter(kind="receipt_recurring", state="sent").count() == 12
    stop = link(stage.last_mail(), "/stop/")
    page = stage.client.get(stop)
    assert page.status_code == 200
    assert Subscription.objects.get().is_stopping is False, "a GET changes nothing"

    assert stage.client.post(stop).status_code == 200
    stage.settle_down()
    assert Subscription.objects.get().is_stopping is True
    assert Message.objects.filter(kind="cancelled", state="sent").count() == 1
    stage.advance(40)
    assert Subscription.objects.get().status == "canceled"
    assert Payment.objects.count() == 13
    assert Message.objects.filter(kind="ended", state="sent").count() == 1
    assert Supporter.objects.get().memberships.get().state == "ended"
    assert stage.books()["broken"] == []

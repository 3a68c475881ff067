"""Erasing a person: everything here but facts of the books, their gifts and customers at Stripe, once and for good."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from members import clock, suppressions
from members.models import Consent, Message, Supporter, Suppression, TimelineEntry, Tombstone
from members.rights import tombstones
from payments import crash_points
from payments.errors import NotOpen, SamePerson
from payments.models import (
    Case,
    Checkout,
    CustomerDeletion,
    Erasure,
    Payment,
    StripeEvent,
    Subscription,
    SubscriptionChange,
)
from payments.rights import erasing, people
from payments.stripe_api import client
from tests import factories
from tests.journeys.test_changes_at_stripe import sdk
from tests.payments.rights.searching import OLENA, at_stripe, erase
from tests.stage import Stage

pytestmark = pytest.mark.django_db


class TestAtStripe:
    def test_the_gift_ends_the_customer_goes_and_the_books_stay(self, stage: Stage) -> None:
        stage.join("month", amount="10")
        stage.join("once", amount="25", email=OLENA)
        stage.join("month", amount="7", email="taras@example.org", name="Тарас")
        was, mails = stage.books(), len(stage.mails())
        customers = set(Payment.objects.filter(supporter__email=OLENA).values_list("stripe_customer_id", flat=True))
        other = Payment.objects.get(supporter__email="taras@example.org").stripe_customer_id
        assert len(customers) == 2

        erasure = erase(stage)
        assert erasure.state == "done"
        assert erasure.done_at
        assert [at_stripe(customer) for customer in customers] == [False, False]
        assert at_stripe(other)
        assert set(Subscription.objects.values_list("amount", "status")) == {(1000, "canceled"), (700, "active")}
        now = stage.books()
        assert now.pop("active_subscriptions") == was.pop("active_subscriptions") - 1
        assert now == was
        assert len(stage.mails()) < mails, "the files of emails are gone, and no email about the end went out"
        assert all("olena" not in str(mail["To"]) for mail in stage.mails())
        assert not Case.objects.exists()
        assert not StripeEvent.objects.exclude(state__in=("processed", "ignored")).exists()
        row = Supporter.objects.get(pk=erasure.supporter_id)
        assert (row.name, row.email) == ("", tombstones.placeholder(row))

    def test_a_gift_that_was_set_to_stop_ends_too(self, stage: Stage) -> None:
        stage.join("month")
        gift = Subscription.objects.get()
        stops = {"cancel_at_period_end": True}
        sdk(stage).v1.subscriptions.update(gift.stripe_subscription_id, stops, {"idempotency_key": "dashboard"})
        stage.settle_down()
        assert erase(stage).state == "done"
        gift.refresh_from_db()
        assert gift.status == "canceled"

    def test_within_the_hour_of_a_renewal_nothing_is_taken(self, stage: Stage) -> None:
        stage.join("month")
        stage.sleep_into_the_hour()
        erase(stage)
        stage.let_the_hour_pass()
        stage.settle_down()
        assert Payment.objects.filter(status="succeeded").count() == 1

    def test_a_customer_through_whom_somebody_else_gives_stays(self, stage: Stage) -> None:
        stage.join("month")
        gift = Subscription.objects.get()
        factories.payment(stripe_customer_id=gift.stripe_customer_id)
        assert erase(stage).state == "done"
        assert at_stripe(gift.stripe_customer_id)
        gift.refresh_from_db()
        assert gift.status == "canceled"

    @pytest.mark.parametrize("kind", ["401", "403", "500", "drop", "429", "commit_then_drop"])
    def test_stripe_away_in_the_middle(self, stage: Stage, kind: str) -> None:
        stage.join("month")
        customer = Subscription.objects.get().stripe_customer_id
        stage.stripe.fail(kind, times=1000, method="DELETE")
        erasure = erasing.erase(people.find(OLENA), "command")
        assert erasure.state == "at_stripe"
        assert not Supporter.objects.filter(email=OLENA).exists(), "here the person is gone at once"
        assert erasing.carry_out_due() == 0
        stage.stripe.clear_faults()
        assert erasing.carry_out_due() == 1
        stage.settle_down()
        assert not at_stripe(customer)
        assert Subscription.objects.get().status == "canceled"
        assert erasing.carry_out_due() == 0

    def test_a_deletion_that_is_not_answered_for_an_hour_is_a_case(self, stage: Stage) -> None:
        stage.join("month")
        stage.stripe.fail("500", times=1000, path="customers", method="DELETE")
        erasing.erase(people.find(OLENA), "command")
        erasing.carry_out_due()
        assert not Case.objects.exists()
        clock.move(timedelta(hours=2))
        erasing.carry_out_due()
        erasing.carry_out_due()
        case = Case.objects.get()
        assert (case.kind, case.facts["customer"]) == (
            "request_unanswered",
            Subscription.objects.get().stripe_customer_id,
        )

    def test_a_refused_deletion_is_a_case_and_is_asked_again_when_somebody_asks_again(self, stage: Stage) -> None:
        stage.join("month")
        stage.stripe.fail("400", times=1, path="customers", method="DELETE", code="resource_already_exists")
        erasure = erasing.erase(people.find(OLENA), "command")
        assert erasure.state == "at_stripe"
        assert Case.objects.get().kind == "request_refused"
        assert erasing.carry_out_due() == 0
        again = erasing.erase(people.of(Supporter.objects.get()), "command")
        assert (again.pk, again.state) == (erasure.pk, "done")

    def test_deleted_at_stripe_before(self, stage: Stage) -> None:
        stage.join("once")
        customer = Payment.objects.get().stripe_customer_id
        sdk(stage).v1.customers.delete(customer, options={"idempotency_key": "dashboard"})
        assert erase(stage).state == "done"
        assert CustomerDeletion.objects.get().state == "accepted"


class TestCrashes:
    @pytest.mark.parametrize(
        "point", ["before-forgotten", "after-forgotten", "before-stripe-write", "after-stripe-write", "before-bills"]
    )
    def test_a_process_that_dies_leaves_all_or_nothing_here_and_the_rest_is_done_later(
        self, stage: Stage, point: str
    ) -> None:
        stage.join("month")
        customer = Subscription.objects.get().stripe_customer_id
        with crash_points.trap(point):
            erasing.erase(people.find(OLENA), "command")
        is_gone = not Supporter.objects.filter(email=OLENA).exists()
        assert is_gone == (point != "before-forgotten")
        assert SubscriptionChange.objects.exists() == is_gone
        assert Erasure.objects.get().state == ("at_stripe" if is_gone else "planned")
        assert erasing.carry_out_due() == 1
        stage.settle_down()
        assert not at_stripe(customer)
        assert Supporter.objects.get().name == ""

    def test_twice(self, stage: Stage) -> None:
        stage.join("month")
        person = people.find(OLENA)
        first, second = erasing.erase(person, "command"), erasing.erase(person, "command")
        assert first.pk == second.pk
        third = erasing.erase(people.of(Supporter.objects.get()), "command")
        assert third.pk == first.pk
        assert Tombstone.objects.filter(kind="address").count() == 1


class TestAsking:
    def test_after_a_day_or_called_off(self, stage: Stage) -> None:
        stage.join("month")
        who = Supporter.objects.get()
        erasure = erasing.ask(who, "patron", clock.now() + timedelta(days=1))
        assert erasing.ask(who, "patron") == erasure
        assert erasing.carry_out_due() == 0
        erasing.call_off(erasure)
        with pytest.raises(NotOpen):
            erasing.call_off(erasure)
        stage.move(timedelta(days=2))
        assert erasing.carry_out_due() == 0
        erasing.ask(who, "patron", clock.now() + timedelta(days=1))
        stage.move(timedelta(days=2))
        assert erasing.carry_out_due() == 1
        who.refresh_from_db()
        assert who.erased_at
        with pytest.raises(NotOpen):
            erasing.ask(who, "patron")

    def test_a_second_person_confirms(self) -> None:
        who, marta, petro = factories.supporter(), factories.staff(), factories.staff("petro")
        erasure = erasing.ask(who, "desk", actor=marta, needs_second=True)
        assert erasing.carry_out_due() == 0
        with pytest.raises(SamePerson):
            erasing.confirm(erasure, marta)
        erasing.confirm(erasure, petro)
        with pytest.raises(NotOpen):
            erasing.confirm(erasure, petro)
        assert erasing.carry_out_due() == 1
        assert User.objects.count() == 2

    def test_one_that_fails_does_not_hold_up_the_others(self, stage: Stage, monkeypatch) -> None:
        bad = erasing.ask(factories.supporter(), "patron")
        erasing.ask(factories.supporter(), "patron")
        Erasure.objects.filter(pk=bad.pk).update(supporter=factories.supporter())
        assert erasing.carry_out_due() == 2


class TestCommand:
    def test_without_yes_it_says_what_would_happen_and_does_nothing(self, stage: Stage) -> None:
        stage.join("month")
        said = StringIO()
        call_command("erase_person", OLENA, stdout=said)
        assert "Gifts that end at once: 1" in said.getvalue()
        assert "payments.Payment: 1" in said.getvalue()
        assert "Nothing was done" in said.getvalue()
        assert Supporter.objects.get().email == OLENA
        assert not Erasure.objects.exists()
        said = StringIO()
        call_command("erase_person", OLENA, "--yes", stdout=said)
        assert str(Supporter.objects.get().public_id) in said.getvalue()
        assert "not answered" not in said.getvalue()
        assert Supporter.objects.get().erased_at

    def test_of_nobody(self) -> None:
        with pytest.raises(CommandError, match="Nothing is kept"):
            call_command("erase_person", "nobody@example.org", "--yes")

    def test_it_says_that_stripe_is_still_asked(self, stage: Stage) -> None:
        stage.join("month")
        stage.stripe.fail("500", times=1000)
        said = StringIO()
        call_command("erase_person", OLENA, "--yes", stdout=said)
        assert "not answered everything" in said.getvalue()

    def test_an_address_that_never_gave(self, stage: Stage) -> None:
        begun = stage.give("month")
        Suppression.objects.create(email=OLENA, reason="staff")
        call_command("erase_person", OLENA, "--yes", stdout=StringIO())
        row = Checkout.objects.get()
        assert row.supporter
        assert OLENA not in f"{row.email}{row.name}{row.stripe_params}"
        assert suppressions.active_suppression(OLENA)
        assert Erasure.objects.get().state == "done"
        assert Consent.objects.get().words == ""
        assert client.read_session(begun.stripe_session_id).status == "expired", "nobody can pay there any more"
        with pytest.raises(CommandError):
            call_command("erase_person", OLENA, "--yes")


def test_the_timeline_says_that_it_was_done(stage: Stage) -> None:
    stage.join("month")
    erase(stage)
    assert {"supporter.erasing_asked", "supporter.erased"} <= set(
        TimelineEntry.objects.values_list("action", flat=True)
    )
    assert set(
        map(str, TimelineEntry.objects.exclude(action="customer.deleted").values_list("details", flat=True))
    ) == {"{}"}
    assert Message.objects.exclude(body_text="").count() == 0

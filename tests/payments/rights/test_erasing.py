"""Erasing a person: everything here but facts of the books, their gifts and customers at Stripe, once and for good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction

from members import clock, suppressions
from members.mail import outbox
from members.models import Consent, Message, Supporter, Suppression, TimelineEntry, Tombstone
from members.rights import tombstones
from members.rights.lines import Erase
from payments import crash_points
from payments.errors import NotOpen, SamePerson
from payments.giving import lost_checkouts
from payments.models import (
    Case,
    Checkout,
    CustomerDeletion,
    Difference,
    Erasure,
    OverdueTry,
    Payment,
    StripeEvent,
    Subscription,
    SubscriptionChange,
)
from payments.rights import erasing, forgetting, people
from payments.rights.map import MAP
from payments.stripe_api import client
from tests import factories
from tests.conftest import KEPT, empty_the_tables
from tests.journeys.test_changes_at_stripe import sdk
from tests.payments.rights import planted
from tests.stage import Stage

pytestmark = pytest.mark.django_db
OLENA = "olena@example.org"


def erase(stage: Stage, email: str = OLENA) -> Erasure:
    erasure = erasing.erase(people.find(email), "command")
    stage.settle_down()
    erasure.refresh_from_db()
    return erasure


def at_stripe(customer: str) -> bool:
    return not client.read_customer(customer).is_deleted


def remains(*words: str) -> list[str]:
    """Where a word still stands in any table of ours; payloads are searched with their characters unescaped."""
    found = []
    for table in apps.get_models():
        for row in table._default_manager.all():
            for field in table._meta.concrete_fields:
                value = getattr(row, field.attname)
                text = bytes(value).decode() if isinstance(value, bytes | memoryview) else str(value)
                if any(word.lower() in f"{text}{escaped(text)}".lower() for word in words):
                    found.append(f"{table.__name__}.{field.name} {row.pk}")
    return found


def all_rows() -> Iterator[models.Model]:
    for app in ("members", "appeals", "payments"):
        for table in apps.get_app_config(app).get_models():
            if table._meta.db_table not in KEPT:
                yield from table._default_manager.all()


def restore(backup: str) -> None:
    """The database is as it was: triggers and checks of references sleep, as during pg_restore."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        empty_the_tables()
        cursor.execute("SET session_replication_role = replica")
        for row in serializers.deserialize("json", backup):
            row.save()
        cursor.execute("SET session_replication_role = DEFAULT")


def escaped(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return ""


def everything_again(stage: Stage) -> set[str]:
    """Every event that Stripe lists comes once more, under another id; returns their types."""
    types = set()
    for number, event in enumerate(stage.stripe.world.store.all("event")):
        assert stage.post({**event, "id": f"evt_late{number}"}) == 200
        types.add(event["type"])
    return types


class TestTheMap:
    """Every line of the map is what happens."""

    def test_each_field_is_treated_as_its_line_says_and_another_person_keeps_all(self) -> None:
        olena, taras = planted.person("zqa"), planted.person("zqb")
        person = people.of(olena.supporter)
        Difference.objects.filter(pk=olena.rows[Difference].pk).update(stripe_id=next(iter(person.ids)))
        forgetting.forget(person, clock.now())
        kept = {}
        for table in MAP:
            if table.of is None or not (
                row := table.model._default_manager.filter(pk=olena.rows[table.model].pk).first()
            ):
                continue
            for name, line in table.lines.items():
                kept[table.model.__name__, name] = (line.erase, planted.word_in(getattr(row, name)))
        wrong = {
            place: (rule, is_now)
            for place, (rule, is_now) in kept.items()
            if (olena.words.get(place, "none") in is_now) != (rule is Erase.SEALED)
            if place != ("Difference", "stripe_id")
        }
        assert wrong == {}
        gone = {table.model.__name__ for table in MAP if table.of} - {model for model, _name in kept}
        assert gone == {"MailChoice", "DeliveryReport"}
        for table in MAP:
            for name in table.lines if table.of else ():
                row = table.model._default_manager.get(pk=taras.rows[table.model].pk)
                assert taras.words.get((table.model.__name__, name), "") in str(getattr(row, name))

    def test_a_method_keeps_its_kind(self) -> None:
        who = factories.supporter()
        paid = factories.payment(who, method="SEPA 3000")
        forgetting.forget(people.of(who), clock.now())
        paid.refresh_from_db()
        assert (paid.method, paid.is_debit) == ("SEPA", True)

    def test_what_would_take_money_or_say_something_is_taken_back(self) -> None:
        who = factories.supporter()
        paid = factories.payment(who, status="failed")
        open_try = OverdueTry.objects.create(payment=paid, stripe_payment_method_id="pm_1")
        letter = factories.message(who, state="pending")
        forgetting.forget(people.of(who), clock.now())
        open_try.refresh_from_db()
        letter.refresh_from_db()
        assert (open_try.state, letter.state, letter.withheld) == ("overtaken", "canceled", "erased")
        assert outbox.send("cancelled", key="x", to_email=who.email, language="en", context={}, supporter=who)
        who.refresh_from_db()
        assert outbox.send("ended", key="y", to_email=who.email, language="en", context={}, supporter=who) is None


class TestSuppressions:
    def test_the_address_gets_no_mail_although_nobody_can_read_it(self) -> None:
        who = factories.supporter(email="Olena@example.org")
        suppressions.suppress(who.email, Suppression.Reason.COMPLAINED)
        lifted = Suppression.objects.create(email=who.email, reason="bounced", lifted_at=clock.now())
        forgetting.forget(people.of(who), clock.now())
        row = Suppression.objects.get()
        assert row.pk != lifted.pk
        assert "olena" not in row.email.lower()
        assert suppressions.active_suppression("olena@EXAMPLE.org") == row
        assert suppressions.active_suppression("other@example.org") is None
        assert suppressions.suppress(OLENA, Suppression.Reason.BOUNCED) is False
        suppressions.lift(row)
        assert suppressions.active_suppression(OLENA) is None

    def test_it_holds_under_a_new_secret_key_with_the_former_one_kept(self, settings) -> None:
        who = factories.supporter(email=OLENA)
        suppressions.suppress(who.email, Suppression.Reason.STAFF)
        forgetting.forget(people.of(who), clock.now())
        settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key"
        assert suppressions.active_suppression(OLENA)
        assert tombstones.erased_at(OLENA)
        settings.SECRET_KEY_FALLBACKS = []
        assert not tombstones.erased_at(OLENA)


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


class TestComingBack:
    def test_late_events_bring_nobody_back(self, stage: Stage) -> None:
        stage.join("month")
        erase(stage)
        late = everything_again(stage)
        assert {"customer.deleted", "invoice.paid", "charge.succeeded", "checkout.session.completed"} <= late
        stage.settle_down()
        assert not StripeEvent.objects.exclude(state__in=("processed", "ignored")).exists()
        assert remains(OLENA, "Коваль") == []
        assert Supporter.objects.count() == Payment.objects.count() == 1
        assert Subscription.objects.get().method == Payment.objects.get().method == "Visa"

    def test_an_event_that_nobody_handles_is_stored_as_ids(self, stage: Stage) -> None:
        stage.join("month")
        customer = Subscription.objects.get().stripe_customer_id
        erase(stage)
        thing = {"object": "customer", "id": customer, "email": OLENA}
        for number, livemode in ((1, False), (2, True)):
            event = {"id": f"evt_new{number}", "object": "event", "type": "customer.created", "created": 1800000000}
            assert stage.post({**event, "livemode": livemode, "data": {"object": thing}}) == 200
        assert set(StripeEvent.objects.filter(pk__startswith="evt_new").values_list("state", flat=True)) == {
            "ignored",
            "foreign",
        }
        assert remains(OLENA) == []

    def test_an_event_that_waits_is_reduced_and_still_processed(self, stage: Stage) -> None:
        stage.join("month")
        stage.stripe.advance(days=32)
        stage.bring()
        assert StripeEvent.objects.filter(state="pending").exists()
        erasing.erase(people.find(OLENA), "command")
        assert remains(OLENA, "Коваль") == []
        stage.settle_down()
        assert Payment.objects.filter(status="succeeded").count() == 2, "money that came is in the books"
        assert not StripeEvent.objects.exclude(state__in=("processed", "ignored")).exists()
        assert remains(OLENA, "Коваль") == []

    def test_stripe_taken_for_a_difference(self, stage: Stage) -> None:
        """The rows of a gift are lost after its person was erased; taking Stripe's brings back the money alone."""
        with transaction.atomic():
            stage.join("once", amount="25")
            ids, public_id = people.find(OLENA).ids, Supporter.objects.get().public_id
            checkout, intent = Checkout.objects.get().public_id, Payment.objects.get().stripe_payment_intent_id
            transaction.set_rollback(True)
        mails = len(stage.mails())
        gone = Supporter(public_id=public_id)
        tombstones.keep(gone, [OLENA], ids, clock.now())
        lost_checkouts.bring_back(str(checkout), {"payment_intent": intent})
        stage.work()
        stage.send_mail()
        assert Payment.objects.get().supporter.public_id == public_id
        assert remains(OLENA, "Коваль") == []
        assert len(stage.mails()) == mails

    def test_a_restored_backup(self, stage: Stage, tmp_path: Path) -> None:
        stage.join("month")
        stage.join("month", email="taras@example.org", name="Тарас")
        factories.checkout(email="nadia@example.org", name="Nadia")
        customer = Subscription.objects.get(supporter__email=OLENA).stripe_customer_id
        backup = serializers.serialize("json", all_rows())
        erasing.erase(people.find(OLENA), "command")
        erasing.erase(people.find("nadia@example.org"), "command")
        call_command("tombstones", to=str(tmp_path / "kept"))
        restore(backup)
        assert Supporter.objects.filter(email=OLENA).exists()
        assert not Tombstone.objects.exists()
        assert OLENA not in (tmp_path / "kept").read_text()

        said = StringIO()
        call_command("replay_tombstones", str(tmp_path / "kept"), stdout=said)
        assert "2 people erased again" in said.getvalue()
        stage.settle_down()
        assert remains(OLENA, "Коваль", "nadia") == []
        assert not at_stripe(customer)
        assert Supporter.objects.filter(email="taras@example.org").exists()
        said = StringIO()
        call_command("replay_tombstones", stdout=said)
        assert "tombstones.jsonl" in said.getvalue(), "the copy beside the database is found by itself"
        assert "0 people erased again" in said.getvalue()

    @pytest.mark.parametrize(
        "content", ["nonsense", "[]", '{"kind": "address"}', '{"kind": "x", "mark": "", "supporter": ""}']
    )
    def test_a_file_of_another_form_changes_nothing(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "kept").write_text(content)
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("replay_tombstones", str(tmp_path / "kept"))
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("replay_tombstones", str(tmp_path / "none"))
        assert not Tombstone.objects.exists()

    def test_a_new_gift_of_the_same_person_works(self, stage: Stage) -> None:
        stage.join("month")
        first = erase(stage).supporter_id
        stage.sleep(1)
        stage.join("month", amount="12", name="Олена")
        again = Supporter.objects.get(email=OLENA)
        assert again.pk != first
        assert again.name == "Олена"
        assert stage.mails()[-1]["To"].addresses[0].addr_spec == OLENA
        assert erasing.erase_returned() == 0, "whoever gives again is not erased by an old tombstone"
        assert erase(stage).supporter_id == again.pk
        assert Erasure.objects.filter(state="done").count() == 2


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

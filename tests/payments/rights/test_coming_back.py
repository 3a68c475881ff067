"""Whoever was erased stays so: late events, reads, differences and restored backups bring nobody back."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import transaction

from members import clock
from members.models import Supporter, Tombstone
from members.rights import tombstones
from payments.giving import lost_checkouts
from payments.inbox import queue
from payments.models import (
    Checkout,
    Erasure,
    Payment,
    StripeEvent,
    Subscription,
)
from payments.rights import erasing, people
from payments.webhooks import drain, lanes
from tests import factories
from tests.payments.rights.searching import OLENA, all_rows, at_stripe, erase, everything_again, remains, restore
from tests.stage import Stage

pytestmark = pytest.mark.django_db


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

    def test_an_event_that_was_read_before_its_person_was_erased(self, stage: Stage) -> None:
        """The drain has claimed and planned; the erasing is faster; then the effects are written."""
        stage.join("month")
        stage.stripe.set_payment_method(Subscription.objects.get().stripe_customer_id, card="5555555555554444")
        stage.bring()
        events = queue.claim(100)
        assert events
        erasing.erase(people.find(OLENA), "command")
        batch = lanes.of(events)
        with lanes.locked(batch) as locked:
            for ready in lanes.as_they_are_read(locked, 50):
                drain._process_together(ready)
        assert remains(OLENA, "Коваль", "5555", "4444") == []
        assert Subscription.objects.get().method == "Mastercard"

"""Every line of the privacy map is what happens when its person is erased."""

from __future__ import annotations

import pytest

from members import clock, suppressions
from members.mail import outbox
from members.models import Suppression
from members.rights import tombstones
from members.rights.lines import Erase
from payments.models import (
    Difference,
    OverdueTry,
)
from payments.rights import forgetting, people
from payments.rights.map import MAP
from tests import factories
from tests.payments.rights import planted
from tests.payments.rights.searching import OLENA

pytestmark = pytest.mark.django_db


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
        assert gone == {"MailChoice", "DeliveryReport", "CheckoutOrigin", "FailedTry", "HeldGift"}
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

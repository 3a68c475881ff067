"""What is old is removed, once a night and counted; what is still needed, or a day too young, stays."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from members import clock
from members.models import Consent, DeliveryReport, Message
from payments import tasks
from payments.inbox import queue
from payments.models import Checkout, RetentionRun, StripeEvent
from payments.rights import ageing
from project import checks
from tests import factories
from tests.stage import Stage

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def ago(days: float) -> object:
    return timezone.now() - timedelta(days=days)


def counts() -> dict[str, int]:
    run = ageing.run()
    assert run
    assert run.finished_at
    return {name: count for name, count in run.counts.items() if count}


class TestCheckouts:
    def test_an_attempt_without_money_goes_with_its_consent_and_a_gift_stays(self) -> None:
        olena = factories.supporter()
        old = {"attempt_at": ago(31), "created_at": ago(31)}
        for status in ("started", "open", "expired"):
            factories.checkout(status=status, **old)
        kept = [
            factories.checkout(status="waiting", **old),
            factories.checkout(olena, **old),
            factories.checkout(status="open", attempt_at=ago(29), created_at=ago(60)),
        ]
        paid = factories.checkout(status="open", **old)
        factories.payment(olena, checkout=paid)
        assert counts() == {"checkouts": 3}
        assert set(Checkout.objects.values_list("pk", flat=True)) == {row.pk for row in [*kept, paid]}
        assert Consent.objects.count() == 4
        assert counts() == {}

    def test_a_consent_that_another_checkout_has_stays(self) -> None:
        consent = factories.consent()
        factories.checkout(consent=consent, attempt_at=ago(31))
        factories.checkout(consent=consent)
        assert counts() == {"checkouts": 1}
        assert Consent.objects.filter(pk=consent.pk).exists()

    def test_more_than_a_batch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(5):
            factories.checkout(attempt_at=ago(31))
        monkeypatch.setattr(ageing, "BATCH", 2)
        assert counts() == {"checkouts": 5}

    def test_a_setting_says_how_long(self, settings) -> None:
        factories.checkout(attempt_at=ago(6))
        settings.KEEP_CHECKOUTS_DAYS = 7
        assert counts() == {}
        settings.KEEP_CHECKOUTS_DAYS = 5
        assert counts() == {"checkouts": 1}


class TestLetters:
    def test_words_and_address_go_and_that_it_was_sent_stays(self) -> None:
        who = factories.supporter()
        values = {"context": {"first_name": "Olena"}, "created_at": ago(401), "error": "450", "provider_id": "x"}
        letter = factories.message(who, **values)
        waiting = factories.message(who, state="pending", **values)
        young = factories.message(who, created_at=ago(399))
        assert counts() == {"letters": 1}
        letter.refresh_from_db()
        assert (letter.to_email, letter.subject, letter.body_text, letter.body_html, letter.context) == (
            "",
            "",
            "",
            "",
            {},
        )
        assert (letter.state, letter.key, letter.kind) == ("sent", letter.key, "receipt")
        assert letter.trimmed_at
        for row in (waiting, young):
            row.refresh_from_db()
            assert row.body_text
        assert counts() == {}

    def test_reports_go_and_the_outcome_stays(self) -> None:
        letter = factories.message(delivery="bounced")
        for days in (89, 91):
            DeliveryReport.objects.create(
                report_id=str(days), message=letter, what="bounced", words="<olena@example.org>", happened_at=ago(days)
            )
        assert counts() == {"delivery_reports": 1}
        assert DeliveryReport.objects.get().report_id == "89"
        assert Message.objects.get().delivery == "bounced"


class TestEvents:
    def test_a_processed_event_becomes_ids_and_is_still_known(self, stage: Stage) -> None:
        stage.join("month")
        events = stage.stripe.events()
        StripeEvent.objects.update(received_at=ago(91))
        dead = StripeEvent.objects.filter(type="invoice.paid").first()
        StripeEvent.objects.filter(pk=dead.pk).update(state="dead")
        assert counts() == {"events": StripeEvent.objects.count() - 1}
        assert not any("olena" in bytes(row.payload).decode() for row in StripeEvent.objects.exclude(pk=dead.pk))
        dead.refresh_from_db()
        assert b"olena" in bytes(dead.payload)
        was = stage.books()
        for event in events:
            assert stage.post(event) == 200
        stage.settle_down()
        assert stage.books() == was, "the same events again change nothing"
        assert queue.has_due() is False


def test_sign_ins_and_sessions() -> None:
    values = {"username": "marta", "ip_address": "192.0.2.7", "user_agent": "x"}
    for model, more in (
        (AccessFailureLog, {}),
        (AccessLog, {}),
        (AccessAttempt, {"failures_since_start": 1, "get_data": "", "post_data": ""}),
    ):
        for days in (29, 31):
            row = model.objects.create(**values | {"user_agent": str(days)}, **more)
            model.objects.filter(pk=row.pk).update(attempt_time=ago(days))
    Session.objects.create(session_key="old", session_data="", expire_date=ago(1))
    Session.objects.create(session_key="new", session_data="", expire_date=ago(-1))
    assert counts() == {"sign_in_failures": 1, "sign_ins": 1, "sign_in_attempts": 1, "sessions": 1}
    assert [AccessLog.objects.get().user_agent, Session.objects.get().session_key] == ["29", "new"]


def test_once_a_night() -> None:
    for _ in range(3):
        tasks.remove_what_is_old()
    assert RetentionRun.objects.count() == 1
    RetentionRun.objects.update(finished_at=None)
    tasks.remove_what_is_old()
    assert RetentionRun.objects.count() == 2, "one that was not finished is repeated"
    RetentionRun.objects.update(finished_at=ago(1))
    tasks.remove_what_is_old()
    assert RetentionRun.objects.count() == 3


def test_a_dry_run_counts_and_changes_nothing() -> None:
    factories.checkout(attempt_at=ago(31))
    said = StringIO()
    call_command("retention", "--dry-run", stdout=said)
    assert "checkouts: 1\n" in said.getvalue()
    assert "Nothing was removed." in said.getvalue()
    assert Checkout.objects.count() == 1
    assert not RetentionRun.objects.exists()
    said = StringIO()
    call_command("retention", "--json", stdout=said)
    assert json.loads(said.getvalue())["checkouts"] == 1
    assert not Checkout.objects.exists()


@pytest.mark.parametrize(("name", "days"), [("CHECKOUTS", 1), ("REPORTS", 30), ("EVENTS", 30), ("SIGN_INS", 0)])
def test_a_period_that_is_too_short_refuses_to_start(settings, name: str, days: int) -> None:
    assert checks.periods_are_long_enough(None) == []
    setattr(settings, f"KEEP_{name}_DAYS", days)
    assert [found.id for found in checks.periods_are_long_enough(None)] == ["hromada.E006"]


def test_the_business_date_ages_what_the_business_dated(settings) -> None:
    settings.DEBUG = True
    factories.checkout()
    clock.move(31 * DAY)
    assert counts() == {"checkouts": 1}

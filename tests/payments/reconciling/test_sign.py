"""Whether we are in step with Stripe, as `step()`, the metrics and the command report it."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from members import clock
from payments.models import Difference, Reconciliation
from payments.reconciling import runs as reconciliation
from payments.reconciling.runs import Trouble
from tests import factories
from tests.payments.reconciling.setting import alter, balance_line
from tests.stage import Stage


@pytest.mark.django_db
class TestSign:
    def runs(self, **ages: timedelta) -> None:
        now = timezone.now()
        for kind, age in ages.items():
            Reconciliation.objects.create(
                kind=kind, since=now - age, until=now - age, started_at=now - age, finished_at=now - age
            )

    def test_never_compared(self) -> None:
        step = reconciliation.step()
        assert not step.is_in_step
        assert set(step.troubles) == {Trouble.NEVER_COMPARED, Trouble.NOT_LISTED}
        assert step.agreed_at is None

    @pytest.mark.parametrize(
        ("objects", "events", "trouble"),
        [
            (timedelta(hours=25.9), timedelta(minutes=44), None),
            (timedelta(hours=26.1), timedelta(minutes=44), Trouble.NOT_COMPARED),
            (timedelta(hours=25.9), timedelta(minutes=46), Trouble.NOT_LISTED),
        ],
    )
    def test_age(self, objects: timedelta, events: timedelta, trouble: Trouble | None) -> None:
        self.runs(objects=objects, events=events)
        assert reconciliation.step().troubles == ((trouble,) if trouble else ())

    def test_an_open_difference(self) -> None:
        self.runs(objects=timedelta(0), events=timedelta(0))
        row = Difference.objects.create(kind="payment", stripe_id="ch_1", field="amount")
        assert reconciliation.step().troubles == (Trouble.DIFFERENCES,)
        Difference.objects.filter(pk=row.pk).update(state="noted")
        assert reconciliation.step().is_in_step

    def test_events_that_wait(self) -> None:
        self.runs(objects=timedelta(0), events=timedelta(0))
        factories.event("pending", received_at=timezone.now() - timedelta(minutes=4))
        assert reconciliation.step().is_in_step
        factories.event("parked", received_at=timezone.now() - timedelta(minutes=6))
        assert reconciliation.step().troubles == (Trouble.EVENTS_WAIT,)

    def test_a_run_with_a_difference_is_no_agreement(self) -> None:
        self.runs(objects=timedelta(hours=20), events=timedelta(0))
        now = timezone.now()
        Reconciliation.objects.create(kind="objects", since=now, until=now, finished_at=now, found=1)
        step = reconciliation.step()
        assert step.compared_at == now
        assert step.agreed_at is not None
        assert step.agreed_at < now

    def test_the_metrics_say_the_same(self, client: Client) -> None:
        self.runs(objects=timedelta(hours=1), events=timedelta(0))
        assert "hromada_in_step_with_stripe 1.0" in client.get("/metrics").content.decode()
        Difference.objects.create(kind="payment", stripe_id="ch_1", field="amount")
        text = client.get("/metrics").content.decode()
        assert "hromada_in_step_with_stripe 0.0" in text
        assert "hromada_differences_open 1.0" in text


class TestCommand:
    def test_in_step(self, stage: Stage) -> None:
        stage.join("once")
        out = StringIO()
        call_command("reconcile", stdout=out)
        assert "In step with Stripe." in out.getvalue()

    def test_differences_are_printed_and_the_exit_code_says_so(self, stage: Stage) -> None:
        stage.join("once")
        line = balance_line(stage)
        alter(stage, line["id"], fee=line["fee"] + 1)
        clock.move(timedelta(minutes=10))
        stage.stripe.advance(seconds=600)
        out = StringIO()
        with pytest.raises(CommandError, match="1 differences are open"):
            call_command("reconcile", stdout=out)
        expected = f"balance_transaction {line['id']} fee: ours {line['fee']} EUR, Stripe's {line['fee'] + 1} EUR"
        assert expected in out.getvalue()

    def test_since(self, stage: Stage) -> None:
        call_command("reconcile", "--since=2025-01-01", stdout=StringIO())
        assert reconciliation.last_complete(Reconciliation.Kind.OBJECTS).since.year == 2024
        call_command("reconcile", f"--since={clock.today()}", stdout=StringIO())
        newest = reconciliation.last_complete(Reconciliation.Kind.OBJECTS)
        assert newest.until - newest.since > timedelta(days=2), "a later day must not leave a gap"
        for wrong in ("yesterday", "2025-13-40"):
            with pytest.raises(CommandError, match="not a date"):
                call_command("reconcile", f"--since={wrong}")

    def test_stripe_does_not_answer(self, stage: Stage) -> None:
        stage.stripe.fail("500", times=50)
        with pytest.raises(CommandError, match="The comparison stopped early"):
            call_command("reconcile", stdout=StringIO())

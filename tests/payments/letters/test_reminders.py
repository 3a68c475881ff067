"""Reminders of yearly renewals: on time, or late if days were missed; one broken row does not stop the others."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection

from members.mail.rendering import render
from members.models import Message
from payments import daily
from payments.letters import due as due_letters
from payments.letters import reminders
from payments.models import Case, Subscription
from tests import factories

TODAY = date(2026, 3, 1)


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Give every test here the database."""


def yearly(in_days: int, **values: Any) -> Subscription:
    return factories.subscription(**{"frequency": "year", "renews_on": TODAY + timedelta(days=in_days), **values})


def remind(today: date) -> dict[str, int]:
    return asdict(due_letters.send(reminders.YEARLY, today))


def reminded() -> list[str]:
    """Return which of the two reminders were queued, in their order."""
    return [key.rsplit(":", 1)[1] for key in Message.objects.order_by("pk").values_list("key", flat=True)]


def test_thirty_and_seven_days_before_and_never_twice() -> None:
    renews = yearly(31)
    for day in range(33):
        for _ in range(2):
            remind(TODAY + timedelta(days=day))
    assert reminded() == ["30", "7"]
    keys = set(Message.objects.values_list("key", flat=True))
    assert keys == {f"renewal_upcoming_year:{renews.public_id}:2026-04-01:{days}" for days in (30, 7)}
    assert not Case.objects.exists()


@pytest.mark.parametrize(("in_days", "due"), [(31, 0), (30, 1), (29, 1), (7, 1), (1, 1), (0, 0), (-1, 0)])
def test_due_from_thirty_days_to_the_day_before(in_days: int, due: int) -> None:
    yearly(in_days)
    assert remind(TODAY) == {"due": due, "queued": due, "skipped": 0, "failed": 0}


def test_who_does_not_renew_is_left_in_peace() -> None:
    yearly(30, cancel_at_period_end=True)
    yearly(30, status="canceled")
    yearly(30, status="incomplete_expired")
    yearly(30, status="paused")
    yearly(30, status="unpaid")  # Stripe has given its payments up, and takes none by itself
    factories.subscription(frequency="month", renews_on=TODAY + timedelta(days=30))
    assert remind(TODAY)["due"] == 0


def noon(in_days: int) -> datetime:
    return datetime.combine(TODAY + timedelta(days=in_days), time(12), UTC)


@pytest.mark.parametrize(("resumes", "due"), [(None, 0), (31, 0), (30, 1), (12, 1)])
def test_a_gift_that_rests_on_its_day_is_left_in_peace(resumes: int | None, due: int) -> None:
    yearly(30, collection_paused=True, resumes_at=noon(resumes) if resumes else None)
    assert remind(TODAY)["due"] == due


@pytest.mark.parametrize(("ago", "cases"), [(0, 0), (10, 0), (11, 1)])
@pytest.mark.parametrize("letter", ["resumed", "paused"])
def test_one_that_went_on_lately_is_reminded_of_late_and_nobody_is_to_blame(letter: str, ago: int, cases: int) -> None:
    """The email about it decides, and only that of this gift. Undoing a stop of a paused gift sends "paused"."""
    row = yearly(12)
    sent = {"kind": letter, "created_at": noon(-ago)}
    factories.message(row.supporter, **sent, key=f"{letter}:{row.public_id}:{TODAY - timedelta(days=ago)}")
    other = yearly(12)
    factories.message(other.supporter, **sent, key=f"{letter}:another:2026-03-01")
    assert remind(TODAY)["queued"] == 2
    assert Case.objects.filter(supporter=row.supporter).count() == cases
    assert Case.objects.filter(supporter=other.supporter).count() == 1


def test_what_is_taken_is_not_said_to_have_been_agreed_on_when_the_gift_began() -> None:
    """The amount may have been another one then."""
    yearly(30, amount=5000, started_at=noon(-336))
    remind(TODAY)
    letter = render(Message.objects.get())
    assert "On that day we take €50.00. Your gift began on 30 March 2025." in " ".join(letter.text.split())
    assert "agreed" not in letter.text + letter.html


@pytest.mark.parametrize("problem", ["detached", "mandate_inactive"])
def test_a_gift_that_can_no_longer_be_charged_is_not_told_that_all_is_done(problem: str) -> None:
    yearly(30, method="SEPA 3000", method_problem=problem)
    remind(TODAY)
    letter = render(Message.objects.get())
    text = " ".join(letter.text.split())
    assert "The way you paid can no longer be charged. If you want your gift to go on, choose a card or an " in text
    assert re.findall(r"https?://[^/]+/(method|stop)/", letter.text) == ["method", "stop"]
    for promise in ("we take", "If you want it to go on, there is nothing", "Next payment", "SEPA"):
        assert promise not in letter.text + letter.html


def test_who_has_it_already_is_not_even_looked_at() -> None:
    yearly(30)
    remind(TODAY)
    assert remind(TODAY) == {"due": 0, "queued": 0, "skipped": 0, "failed": 0}


def test_after_a_silence_the_first_one_goes_out_late_and_staff_know(caplog: pytest.LogCaptureFixture) -> None:
    renews = yearly(12)
    remind(TODAY)
    assert reminded() == ["30"]
    [case] = Case.objects.all()
    assert (case.kind, case.supporter_id) == ("reminder_late", renews.supporter_id)
    assert case.facts == {"subscription": renews.pk, "renews_on": "2026-03-13", "days_left": 12}
    assert f"subscription {renews.pk} is late" in caplog.text
    assert "@" not in caplog.text
    remind(TODAY + timedelta(days=5))
    assert reminded() == ["30", "7"]
    assert Case.objects.count() == 1


@pytest.mark.parametrize(("in_days", "cases"), [(21, 0), (20, 0), (19, 1), (7, 1)])
def test_late_begins_when_less_than_twenty_days_are_left(in_days: int, cases: int) -> None:
    yearly(in_days)
    remind(TODAY)
    assert Case.objects.count() == cases


def test_in_the_last_week_one_letter_is_enough() -> None:
    yearly(3)
    for day in range(3):
        remind(TODAY + timedelta(days=day))
    assert reminded() == ["7"]


def test_a_renewal_that_moved_is_reminded_of_again() -> None:
    renews = yearly(30)
    remind(TODAY)
    renews.renews_on += timedelta(days=20)
    renews.save()
    remind(TODAY + timedelta(days=20))
    assert reminded() == ["30", "30"]


def test_one_broken_supporter_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    broken, fine = yearly(25), yearly(26)
    refuse_letters_to(broken.supporter_id)
    assert remind(TODAY) == {"due": 2, "queued": 1, "skipped": 0, "failed": 1}
    assert Message.objects.get().supporter_id == fine.supporter_id
    assert f"for subscription {broken.pk} failed: ProgrammingError" in caplog.text
    assert "emails renewal_upcoming_year: 2 due, 1 queued, 0 not needed, 1 failed, 0 unaccounted" in caplog.text
    assert "@" not in caplog.text


def refuse_letters_to(supporter_id: int) -> None:
    """Make the database refuse emails to one supporter, until the test's transaction is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF NEW.supporter_id = {int(supporter_id)} THEN RAISE EXCEPTION 'no letters to them'; END IF;"
            " RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON members_message FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()"
        )


def test_so_many_queries_for_one_as_for_many(django_assert_num_queries: Any) -> None:
    for _ in range(20):
        yearly(25)
    with django_assert_num_queries(
        11
    ):  # whether there are any; the query; their accounts; a savepoint around one INSERT
        remind(TODAY)
    assert Message.objects.count() == 20
    with django_assert_num_queries(2):
        remind(TODAY)


@pytest.mark.parametrize("kind", daily.DUE_LETTERS, ids=lambda kind: kind.name)
def test_a_day_on_which_nothing_can_be_due_costs_one_short_query(
    kind: due_letters.DueLetter[Any], django_assert_num_queries: Any
) -> None:
    yearly(200)
    with django_assert_num_queries(1) as asked:
        assert due_letters.send(kind, TODAY) == due_letters.Counts()
    assert "members_message" not in asked.captured_queries[0]["sql"]


def test_more_than_a_chunk_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due_letters, "CHUNK", 3)
    for number in range(8):
        yearly(20 + number)
    assert remind(TODAY) == {"due": 8, "queued": 8, "skipped": 0, "failed": 0}
    assert Message.objects.count() == 8


def test_after_twenty_days_without_a_run_everybody_is_caught_up_with() -> None:
    for number in range(12, 31):
        yearly(number)
    counts = due_letters.send(reminders.YEARLY, TODAY + timedelta(days=5))
    assert (counts.due, counts.queued, counts.unaccounted) == (19, 19, 0)
    assert Case.objects.count() == len([days for days in range(12, 31) if days - 5 < 20])

"""Three simulated years of three patrons: each letter on its day, over a leap day, short months, changes of the clock
and three weeks in which no daily job ran.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest

from members import clock
from members.mail import choices
from members.models import Membership, Message, Supporter
from payments.letters import calendar as calendar_letters
from payments.letters import due as due_letters
from payments.letters import reminders
from payments.models import Case, Payment
from tests.stage import Stage

BEGINS, ENDS = date(2027, 1, 31), date(2030, 1, 31)
# Letters about failures, cards and pauses have stories of their own (test_failing_cards.py, test_change_letters.py).
OF_THE_CALENDAR: tuple[due_letters.DueLetter[Any], ...] = (
    reminders.YEARLY,
    calendar_letters.YEARLY_REMINDER,
    calendar_letters.FULL_YEAR,
    calendar_letters.NEXT_MONTH,
)
ASLEEP = (date(2029, 1, 20), date(2029, 2, 10))


def day(text: str) -> date:
    return date.fromisoformat(text)


class Years:
    """A day at a time; only of days on which something happens is anything worked."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.seen = 0  # the key of the newest letter that was noted
        self.letters: dict[str, dict[str, list[date]]] = defaultdict(lambda: defaultdict(list))

    def live_until(self, last: date) -> None:
        while clock.today() < last:
            clock.move(timedelta(days=1))
            if not ASLEEP[0] <= clock.today() <= ASLEEP[1]:
                for kind in OF_THE_CALENDAR:
                    due_letters.send(kind, clock.today())
            self.stage.stripe.advance(days=1)
            self.stage.let_the_hour_pass()
            if self.stage.stripe.outbox():
                self.stage.settle_down()
            self.note()

    def join(self, email: str, frequency: str, amount: str) -> Supporter:
        self.stage.join(frequency, amount=amount, email=email, form_key=email)
        self.note()
        return Supporter.objects.get(email=email)

    def note(self) -> None:
        for letter in Message.objects.filter(pk__gt=self.seen).select_related("supporter").order_by("pk"):
            assert letter.supporter is not None
            self.letters[letter.supporter.email][letter.kind].append(clock.today())
            self.seen = letter.pk


@pytest.fixture
def years(stage: Stage) -> Years:
    return Years(stage)


def month_ends(first: date, last: date) -> list[date]:
    """The last days of these months."""
    found, day_ = [], first.replace(day=1)
    while day_ <= last:
        following = (day_ + timedelta(days=32)).replace(day=1)
        found.append(following - timedelta(days=1))
        day_ = following
    return found


def test_every_letter_on_its_day(stage: Stage, years: Years) -> None:
    stage.begin(BEGINS)
    monthly = years.join("monthly@example.org", "month", "10")
    years.live_until(day("2027-03-28"))  # summer time begins in Kyiv
    years.join("summer@example.org", "year", "100")
    years.live_until(day("2028-02-29"))
    years.join("leap@example.org", "year", "200")
    years.live_until(day("2029-05-20"))
    choices.choose(monthly, {"renewal_upcoming_month": True}, "page")
    years.live_until(ENDS)

    paid = month_ends(day("2027-02-01"), ENDS)
    assert years.letters["monthly@example.org"] == {
        "thanks_first_recurring": [BEGINS],
        "receipt_recurring": paid,
        "monthly_reminder": [day("2028-01-01"), day("2029-01-01"), day("2030-01-01")],
        "anniversary": [day("2028-02-02"), day("2029-02-11")],  # nine days late: nobody was awake
        "renewal_upcoming_month": [each - timedelta(days=3) for each in month_ends(day("2029-05-01"), ENDS)],
    }
    assert years.letters["summer@example.org"] == {
        "thanks_first_recurring": [day("2027-03-28")],
        "receipt_recurring": [day("2028-03-28"), day("2029-03-28")],
        "renewal_upcoming_year": [day("2028-02-27"), day("2028-03-21"), day("2029-02-26"), day("2029-03-21")],
        "anniversary": [day("2028-03-30"), day("2029-03-30")],
    }
    assert years.letters["leap@example.org"] == {
        "thanks_first_recurring": [day("2028-02-29")],
        "receipt_recurring": [day("2029-02-28")],
        # The first of 2029 was due on 29 January.
        "renewal_upcoming_year": [day("2029-02-11"), day("2029-02-21"), day("2030-01-29")],
        "anniversary": [day("2029-03-03")],
    }
    assert Membership.objects.get(supporter=monthly).paid_through == day("2030-02-28")
    assert list(Case.objects.values_list("kind", flat=True)) == ["reminder_late"]
    assert Message.objects.exclude(state="sent").count() == 0
    assert Payment.objects.filter(status="succeeded").count() == 1 + len(paid) + 3 + 2
    assert stage.books()["broken"] == []

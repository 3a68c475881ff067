"""A case is opened once per cause and closed once, with the name of the person who closed it."""

from __future__ import annotations

import pytest

from members.models import TimelineEntry
from payments import cases
from payments.errors import AlreadyClosed
from payments.models import Case
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_same_thing_is_noticed_once() -> None:
    who = factories.supporter()
    first = cases.open_case("duplicate_payment", "payments:1+2", who, {"payments": [1, 2]})
    again = cases.open_case("duplicate_payment", "payments:1+2", who, {"payments": [1, 2, 3]})
    assert first == again
    assert Case.objects.get().facts == {"payments": [1, 2]}


def test_a_case_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        cases.open_case("nonsense", "x")


def test_settling_says_who_and_how_and_cannot_be_done_twice() -> None:
    marta, iryna = factories.staff("marta"), factories.staff("iryna")
    case = cases.open_case("duplicate_payment", "a", factories.supporter())
    closed = cases.close(case, marta, " Meant twice. ")
    assert (closed.settled_by, closed.note) == (marta, "Meant twice.")
    assert closed.settled_at
    with pytest.raises(AlreadyClosed):
        cases.close(case, iryna, "Refunded.")
    assert Case.objects.get().note == "Meant twice."
    entry = TimelineEntry.objects.get()
    assert (entry.action, entry.actor, entry.details["case"]) == ("case.settled", marta, case.pk)


def test_a_settled_case_stays_settled_when_noticed_again() -> None:
    case = cases.open_case("duplicate_payment", "a")
    cases.close(case, factories.staff(), "Meant twice.")
    assert cases.open_case("duplicate_payment", "a").settled_at

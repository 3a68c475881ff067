"""The rules about the door to Stripe's pages (payments/guard/): guarded, and closed to the suspicious."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from payments.alerts.looks import Facts, Look
from payments.alerts.rule import Rule
from payments.guard import door, held
from payments.guard.door import State
from payments.models import DoorPeriod


def door_is(state: State) -> Look:
    """Return a check whether the door is in this state."""

    def look() -> Facts | None:
        period = DoorPeriod.objects.filter(until=None, state=state).first()
        if period is None:
            return None
        now = door.seen()
        count, sums = held.count(period)
        return {"declines": now.declines, "begun": now.begun, "count": count, "sums": ", ".join(sums) or "0"}

    return look


ABOUT_DOOR = (
    Rule(
        "door-guarded",
        door_is(State.GUARDED),
        _("The way to give is guarded"),
        _(
            "Cards that failed within an hour: %(declines)d. Gifts begun within minutes: %(begun)d. "
            "Gifts not through yet: %(count)d (%(sums)s)."
        ),
        _("Nothing has to be done: readers get through after a check that browsers make by themselves."),
        desk="/admin/payments/doorperiod/",
    ),
    Rule(
        "door-closed",
        door_is(State.CLOSED),
        _("Stolen cards are being tested"),
        _(
            "Cards that failed within an hour: %(declines)d. Gifts begun within minutes: %(begun)d. "
            "Gifts held back, most of them false: %(count)d (%(sums)s)."
        ),
        _(
            "Suspicious sources are held back, all others give. "
            "Look at today’s payments at Stripe and refund false ones."
        ),
        desk="/admin/payments/doorperiod/",
    ),
)

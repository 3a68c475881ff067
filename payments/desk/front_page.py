"""The figures on the desk's first page, as far as the user may see them, each with a link to the list behind it.

The figures are counted in payments/reports/desk.py and shown by payments/templatetags/desk.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.models import Membership, Message
from payments import money
from payments.desk import columns
from payments.desk.columns import BAD, GOOD, LATE
from payments.desk.filters import list_of
from payments.guard import door, held
from payments.guard.door import State
from payments.models import DoorPeriod, HeldRefund, StripeEvent
from payments.reconciling import runs
from payments.reconciling.runs import Trouble
from payments.reports import desk

Visitor = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True)
class Card:
    """A figure: name, values (one per line), meaning, address of the list behind it, and tone."""

    name: str
    values: list[str]
    meaning: str
    href: str
    tone: str = ""


def cards(user: Visitor) -> list[Card]:
    """Return the figures that this user may see, without a link to a list that they may not.

    One query per figure, three for the way to give.
    """
    has = user.has_perm  # type: ignore[union-attr]
    open_to_figures = has(FIGURES)
    found = []
    for permission, make in CARDS:
        may_list = has(permission)
        card = make() if may_list or (open_to_figures and permission in SEEN_BY_ALL) else None
        if card:
            found.append(card if may_list else replace(card, href=""))
    return found


def patrons_card() -> Card:
    meaning = _("People with an active membership today. Each is counted once.")
    href = list_of("members_supporter", membership=Membership.State.ACTIVE.value)
    return Card(_("Active patrons"), [str(desk.active_patrons())], meaning, href)


def gifts_card() -> Card:
    rows = desk.received()
    values = [money.format(row.month, row.currency, short=True) for row in rows] or ["0"]
    today = [money.format(row.today, row.currency, short=True) for row in rows if row.today]
    gifts, gifts_today = sum(row.gifts_month for row in rows), sum(row.gifts_today for row in rows)
    counted = ngettext("%(count)d gift.", "%(count)d gifts.", gifts) % {"count": gifts}
    of_today = _("Today: none.")
    if today:
        of_today = _("Today: %(sums)s (%(count)d).") % {"sums": ", ".join(today), "count": gifts_today}
    meaning = " ".join((counted, of_today, _("Before fees and refunds.")))
    return Card(_("Received this month"), values, meaning, list_of("payments_payment", status__exact="succeeded"))


def cases_card() -> Card:
    waiting = desk.open_cases()
    since = _("The oldest was noticed %(ago)s ago.") % {"ago": _age(waiting.oldest)} if waiting.oldest else ""
    meaning = " ".join((_("Things the software noticed and a person decides."), since)).strip()
    return Card(_("Open cases"), [str(waiting.count)], meaning, list_of("payments_case"), _tone(waiting.count, LATE))


def held_refunds_card() -> Card | None:
    """Return how many refunds wait for a second colleague; None if none does: most newsrooms have few."""
    count = HeldRefund.objects.filter(state=HeldRefund.State.WAITING).count()
    if not count:
        return None
    meaning = _("Refunds above the limit. A second colleague confirms or declines each.")
    href = list_of("payments_heldrefund", state__exact=HeldRefund.State.WAITING.value)
    return Card(_("Refunds that wait"), [str(count)], meaning, href, LATE)


def waiting_events_card() -> Card:
    by_state = desk.events()
    waiting = [by_state[state] for state in StripeEvent.WAITING if state in by_state]
    count = sum(row.count for row in waiting)
    oldest = min((row.oldest for row in waiting if row.oldest), default=None)
    since = _("The oldest waits for %(ago)s.") % {"ago": _age(oldest)} if oldest else _("Nothing waits.")
    failed = by_state.get(StripeEvent.State.FAILED)
    trouble = _("%(count)d failed and are tried again.") % {"count": failed.count} if failed else ""
    dead = by_state.get(StripeEvent.State.DEAD)
    given_up = _("%(count)d are dead and wait for you.") % {"count": dead.count} if dead else ""
    tone = BAD if dead else LATE if failed else GOOD
    href = list_of("payments_stripeevent", state="stuck" if failed or dead else "waiting")
    meaning = " ".join(part for part in (since, trouble, given_up) if part)
    return Card(_("Stripe’s events waiting"), [str(count)], meaning, href, tone)


def messages_card() -> Card:
    by_state = desk.messages_in_trouble()
    failed = by_state.get(Message.State.FAILED, 0)
    unknown = by_state.get(Message.State.UNKNOWN, 0)
    meaning = _("Messages that could not be sent.")
    if unknown:
        meaning = _("Messages that could not be sent. Of %(count)d more nobody knows whether they left.") % {
            "count": unknown
        }
    state = Message.State.FAILED if failed or not unknown else Message.State.UNKNOWN
    href = list_of("members_message", state__exact=state.value)
    return Card(_("Messages failed"), [str(failed)], meaning, href, BAD if failed else LATE if unknown else GOOD)


def door_card() -> Card:
    period, failed = DoorPeriod.objects.filter(until=None).first(), door.declines()
    state = State(period.state) if period else State.NORMAL
    count, sums = held.count(period)
    tried = ngettext("%(count)d card failed within an hour.", "%(count)d cards failed within an hour.", failed) % {
        "count": failed
    }
    waits = _("No gift is held back.")
    if count:
        waits = ngettext(
            "%(count)d gift is not through: %(sums)s.", "%(count)d gifts are not through: %(sums)s.", count
        ) % {"count": count, "sums": ", ".join(sums)}
    tone = {State.NORMAL: GOOD, State.GUARDED: LATE, State.CLOSED: BAD}[state]
    href = list_of("payments_doorperiod")
    return Card(_("The way to give"), [str(state.label)], f"{tried} {waits}", href, tone)


def sign(user: Visitor) -> Card | None:
    """Return whether we are in step with Stripe, why not, and when both last agreed. One query.

    None if the user may not see differences.
    """
    if not user.has_perm("payments.view_difference"):  # type: ignore[union-attr]
        return None
    now = runs.step()
    agreed = _("They were never found the same yet.")
    if now.agreed_at:
        agreed = _("Both were last the same on %(moment)s.") % {"moment": columns.moment(now.agreed_at)}
    counted = ngettext(
        "%(count)d difference waits for a person.", "%(count)d differences wait for a person.", now.differences
    ) % {"count": now.differences}
    troubles = [counted if each == Trouble.DIFFERENCES else str(each.label) for each in now.troubles]
    value = _("In step with Stripe") if now.is_in_step else _("Not in step with Stripe")
    href = list_of("payments_difference" if now.differences else "payments_reconciliation")
    return Card("", [value], " ".join([*troubles, agreed]), href, GOOD if now.is_in_step else LATE)


CARDS: tuple[tuple[str, Callable[[], Card | None]], ...] = (
    ("members.view_supporter", patrons_card),
    ("payments.view_payment", gifts_card),
    ("payments.view_case", cases_card),
    ("payments.view_heldrefund", held_refunds_card),
    ("payments.view_stripeevent", waiting_events_card),
    ("members.view_message", messages_card),
    ("payments.view_doorperiod", door_card),
)


FIGURES = "payments.see_figures"
# Figures that name nobody and need no deed: whoever may see figures sees them without their lists.
SEEN_BY_ALL = ("members.view_supporter", "payments.view_payment")


def _tone(count: int, if_any: str) -> str:
    return if_any if count else GOOD


def _age(since: datetime | None) -> str:
    """Return the real time since then in its largest unit; empty for None, 0 minutes for a time in the future."""
    return timesince(since, timezone.now(), depth=1) if since else ""

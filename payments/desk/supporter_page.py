"""The desk's page of one supporter, in a fixed number of queries: figures, timeline, and tables of their rows.

Sums are per currency and never added across currencies. Called by payments/admin/supporters.py.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Model, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.admin.plain import may_see
from members.models import Membership, Message, Supporter, TimelineEntry
from payments import money
from payments.desk import columns, timeline
from payments.desk.columns import NONE
from payments.desk.filters import list_of
from payments.desk.pages import Table
from payments.desk.patron_status import TONES, charged_on, patron_status, promise, status_words, subscription_state
from payments.desk.patron_status import next_payment as next_day
from payments.desk.tables.cases import case_table
from payments.desk.tables.checkouts import checkout_table
from payments.desk.tables.messages import message_table
from payments.desk.tables.payments import payment_table, refund_part
from payments.desk.tables.refund_requests import request_table
from payments.models import KEPT, Case, Checkout, Payment, Refund, RefundRequest, Subscription

NEWEST = 20
KINDS: tuple[type[Model], ...] = (
    Supporter,
    Membership,
    Message,
    Checkout,
    Subscription,
    Payment,
    Refund,
    RefundRequest,
    Case,
)
# A timeline action such as `payment.refund_requested` is about the model that its first word names.
MODEL_OF_NOUN: dict[str, type[Model]] = {
    "payment": Payment,
    "subscription": Subscription,
    "case": Case,
    "message": Message,
}


def of(supporter: Supporter, user: User | AnonymousUser) -> dict[str, Any]:
    """Return the context of the page: of each kind of row only what this user may see in its own list."""
    sees = {model for model in KINDS if may_see(user, model)}
    subscriptions = list(supporter.subscriptions.all()) if Subscription in sees else []
    payments = list(supporter.payments.prefetch_related("refunds")[: NEWEST + 1]) if Payment in sees else []
    cases = list(supporter.cases.all()) if Case in sees else []
    entries = [entry for entry in supporter.timeline.select_related("actor")[: 2 * NEWEST] if _about(entry) <= sees]
    figures = [
        (Subscription, gives(subscriptions)),
        (Subscription, next_payment(subscriptions)),
        (Payment, given(supporter)),
        (Supporter, since(supporter)),
    ]
    tables = [
        *_money_tables(supporter, payments),
        (Subscription, subscription_table(subscriptions)),
        (Membership, membership_table(supporter)),
        *_other_tables(supporter, may_resend=user.has_perm("members.change_message")),
        (Case, case_table(cases)),
    ]
    return {
        "language": dict(settings.LANGUAGES).get(supporter.language, supporter.language),
        "patron_status": status_words(supporter),
        "figures": [figure for model, figure in figures if model in sees],
        "happenings": timeline.of(subscriptions, payments[:NEWEST], entries, cases),
        "parts": [table for model, table in tables if model in sees],
    }


def _money_tables(supporter: Supporter, payments: list[Payment]) -> list[tuple[type[Model], Table]]:
    asked = RefundRequest.objects.filter(payment__supporter=supporter).select_related("payment", "actor")
    return [
        (Payment, payment_table(payments[:NEWEST], _more(payments, "payments_payment", supporter))),
        (Refund, refund_part(payments[:NEWEST])),
        (RefundRequest, request_table(asked)),
    ]


def _other_tables(supporter: Supporter, *, may_resend: bool) -> list[tuple[type[Model], Table]]:
    """Return the tables of emails and checkouts. With `may_resend`, each email links to sending it again."""
    messages = list(supporter.messages.defer("context", "body_text")[: NEWEST + 1])
    checkouts = list(supporter.checkouts.all()[: NEWEST + 1])
    letters = message_table(messages[:NEWEST], _more(messages, "members_message", supporter), may_resend=may_resend)
    begun = checkout_table(checkouts[:NEWEST], _more(checkouts, "payments_checkout", supporter))
    return [(Message, letters), (Checkout, begun)]


def _about(entry: TimelineEntry) -> set[type[Model]]:
    """Return the model that a timeline entry is about; nothing if it is about the supporter alone."""
    model = MODEL_OF_NOUN.get(entry.action.partition(".")[0])
    return {model} if model else set()


Figure = tuple[str, list[str], str]


def gives(subscriptions: list[Subscription]) -> Figure:
    alive = [row for row in subscriptions if row.is_alive]
    methods = sorted({row.method for row in alive if row.method})
    if alive and all(row.is_stopping for row in alive):
        return _("Gives until it stops"), [promise(row) for row in alive], ", ".join(methods)
    return _("Gives"), [promise(row) for row in alive] or [NONE], ", ".join(methods)


def next_payment(subscriptions: list[Subscription]) -> Figure:
    upcoming = [(on, row.pk, row) for row in subscriptions if (on := charged_on(row))]
    if not upcoming:
        return _("Next payment"), [NONE], _("No subscription goes on.")
    on, _number, first = min(upcoming)
    return _("Next payment"), [columns.day(on)], money.format(first.amount, first.currency)


def given(supporter: Supporter) -> Figure:
    """Return the sum received less what went back, one value per currency, and the number of gifts."""
    received = supporter.payments.filter(status=Payment.Status.SUCCEEDED).order_by()
    sums = received.values("currency").annotate(net=Sum(KEPT), gifts=Count("pk"))
    rows = sorted(sums, key=lambda row: row["currency"])
    count = sum(row["gifts"] for row in rows)
    words = ngettext("%(count)d gift, less what went back", "%(count)d gifts, less what went back", count)
    return (
        _("Given in all"),
        [money.format(row["net"], row["currency"]) for row in rows] or [NONE],
        words % {"count": count},
    )


def since(supporter: Supporter) -> Figure:
    found = patron_status(supporter)
    if found is None:
        return _("Patron since"), [NONE], _("Never a patron.")
    until = _("%(level)s, paid through %(day)s") % {"level": found.level.name(), "day": columns.day(found.until)}
    return _("Patron since"), [columns.day(found.since)], until


def subscription_table(rows: list[Subscription]) -> Table:
    head = [_("Subscription"), _("Gives"), _("Status"), _("Started"), _("Next payment"), _("Paid from")]
    return Table(_("Subscriptions"), head, [_subscription(row) for row in rows], empty=_("None."))


def _subscription(row: Subscription) -> list[object]:
    number, started = columns.link(row), columns.moment(row.started_at)
    return [number, promise(row), subscription_state(row), started, next_day(row), row.method or NONE]


def membership_table(supporter: Supporter) -> Table:
    head = [_("Level"), _("State"), _("From"), _("Paid through"), _("Grace through")]
    shown = []
    for row in supporter.memberships.all():
        now = row.state
        state = columns.state(str(now.label), TONES.get(now, columns.OVER))
        days = [columns.day(day) for day in (row.starts_on, row.paid_through, row.grace_through)]
        shown.append([row.level.name(), state, *days])
    return Table(_("Memberships"), head, shown, empty=_("Never a patron."))


def _more(rows: list[Any], model: str, supporter: Supporter) -> str:
    return list_of(model, supporter=supporter.pk) if len(rows) > NEWEST else ""

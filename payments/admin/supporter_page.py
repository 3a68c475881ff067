"""Everything about one supporter on one page, in a fixed number of queries: who, gives what, what happened, rows.

Sums are per currency and never added across currencies. Called by the supporter's page at the desk.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.models import Supporter
from payments import money
from payments.admin import columns, happenings
from payments.admin.cases import case_table
from payments.admin.checkouts import checkout_table
from payments.admin.columns import NONE
from payments.admin.filters import list_of
from payments.admin.messages import message_table
from payments.admin.pages import Table
from payments.admin.payments import REFUND_TONES, payment_table
from payments.admin.refund_requests import request_table
from payments.admin.standing import TONES, charged_on, promise, standing, standing_words, subscription_state
from payments.admin.standing import next_payment as next_day
from payments.models import KEPT, Payment, RefundRequest, Subscription

NEWEST = 20


def of(supporter: Supporter, *, may_resend: bool = False) -> dict[str, Any]:
    """What the page's template shows; `may_resend`: to somebody who may send a letter again."""
    subscriptions = list(supporter.subscriptions.all())
    payments = list(supporter.payments.prefetch_related("refunds")[: NEWEST + 1])
    messages = list(supporter.messages.defer("context", "body_text")[: NEWEST + 1])
    checkouts = list(supporter.checkouts.all()[: NEWEST + 1])
    cases = list(supporter.cases.all())
    asked = RefundRequest.objects.filter(payment__supporter=supporter)
    entries = list(supporter.timeline.select_related("actor")[: 2 * NEWEST])
    return {
        "language": dict(settings.LANGUAGES).get(supporter.language, supporter.language),
        "standing": standing_words(supporter),
        "figures": [gives(subscriptions), next_payment(subscriptions), given(supporter), since(supporter)],
        "happenings": happenings.of(subscriptions, payments[:NEWEST], entries, cases),
        "parts": [
            payment_table(payments[:NEWEST], _more(payments, "payments_payment", supporter)),
            refund_part(payments[:NEWEST]),
            request_table(asked.select_related("payment", "actor")),
            subscription_table(subscriptions),
            membership_table(supporter),
            message_table(messages[:NEWEST], _more(messages, "members_message", supporter), may_resend=may_resend),
            checkout_table(checkouts[:NEWEST], _more(checkouts, "payments_checkout", supporter)),
            case_table(cases),
        ],
    }


Figure = tuple[str, list[str], str]


def gives(subscriptions: list[Subscription]) -> Figure:
    alive = [row for row in subscriptions if row.is_alive]
    methods = sorted({row.method for row in alive if row.method})
    if alive and all(row.is_stopping for row in alive):
        return _("Gives until it stops"), [promise(row) for row in alive], ", ".join(methods)
    return _("Gives"), [promise(row) for row in alive] or [NONE], ", ".join(methods)


def next_payment(subscriptions: list[Subscription]) -> Figure:
    going_on = [(on, row.pk, row) for row in subscriptions if (on := charged_on(row))]
    if not going_on:
        return _("Next payment"), [NONE], _("No subscription goes on.")
    on, _number, first = min(going_on)
    return _("Next payment"), [columns.day(on)], money.format(first.amount, first.currency)


def given(supporter: Supporter) -> Figure:
    """Received in all, less what went back, for each currency by itself."""
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
    found = standing(supporter)
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


def refund_part(payments: list[Payment]) -> Table:
    """Refunds of the payments shown, with the payment they belong to."""
    head = [_("Refund"), _("Payment"), _("Made"), _("Amount"), _("Status"), _("Reason")]
    pairs = [(refund, payment) for payment in payments for refund in payment.refunds.all()]
    return Table(_("Refunds"), head, [_refund(*pair) for pair in pairs], empty=_("Nothing was sent back."))


def _refund(refund: Any, payment: Payment) -> list[object]:
    from_here, when = columns.link(payment), columns.moment(refund.created_at)
    shown, state = columns.amount(refund.amount, refund.currency), columns.tinted(refund, "status", REFUND_TONES)
    return [columns.link(refund), from_here, when, shown, state, refund.reason or NONE]


def _more(rows: list[Any], model: str, supporter: Supporter) -> str:
    return list_of(model, supporter=supporter.pk) if len(rows) > NEWEST else ""

"""Differences between our database and Stripe in words: kind, field and both values.

Used by the lists of differences and reconciliations, and by the acts on differences.
"""

from __future__ import annotations

import re
from datetime import datetime

from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.columns import GOOD, LATE, column
from payments.models import Difference, Dispute, Payment, Payout, Refund, Subscription
from payments.reconciling import differences

TONES = {Difference.State.OPEN: LATE, Difference.State.TAKEN: GOOD, Difference.State.GONE: GOOD}


KINDS = {
    differences.SUBSCRIPTION: gettext_lazy("Subscription"),
    differences.PAYMENT: gettext_lazy("Payment"),
    differences.REFUND: gettext_lazy("Refund"),
    differences.DISPUTE: gettext_lazy("Dispute"),
    differences.BALANCE: gettext_lazy("Line of Stripe’s balance"),
    differences.PAYOUT: gettext_lazy("Payout"),
}


FIELDS = {
    differences.MISSING: gettext_lazy("missing in our books"),
    differences.EXTRA: gettext_lazy("not known to Stripe"),
    differences.UNSETTLED: gettext_lazy("not settled by Stripe"),
    differences.STATUS: gettext_lazy("status"),
    differences.TAKEN: gettext_lazy("taken from us"),
    differences.LINES: gettext_lazy("tied to its lines"),
    "amount": gettext_lazy("amount"),
    "fee": gettext_lazy("fee"),
    "frequency": gettext_lazy("frequency"),
    "current_period_end": gettext_lazy("period ends"),
    "cancel_at_period_end": gettext_lazy("stops at the period's end"),
    "cancel_at": gettext_lazy("stops at"),
    "ended_at": gettext_lazy("ended"),
    "collection_paused": gettext_lazy("collection paused"),
    "resumes_at": gettext_lazy("resumes"),
}


# The model of each kind, and the column with its Stripe id.
MODELS: dict[str, tuple[type[Model], str]] = {
    differences.SUBSCRIPTION: (Subscription, "stripe_subscription_id"),
    differences.PAYMENT: (Payment, "stripe_charge_id"),
    differences.REFUND: (Refund, "stripe_refund_id"),
    differences.DISPUTE: (Dispute, "stripe_dispute_id"),
    differences.PAYOUT: (Payout, "stripe_payout_id"),
}


STATUSES: dict[str, dict[str, object]] = {
    differences.SUBSCRIPTION: dict(Subscription.Status.choices),
    differences.PAYMENT: dict(Payment.Status.choices),
    differences.REFUND: dict(Refund.Status.choices),
    differences.DISPUTE: dict(Dispute.Status.choices),
    differences.PAYOUT: dict(Payout.Status.choices),
}


@column(gettext_lazy("what"))
def kind(row: Difference) -> object:
    return KINDS.get(row.kind, row.kind)


@column(gettext_lazy("field"))
def field(row: Difference) -> object:
    return FIELDS.get(row.field, row.field)


@column(gettext_lazy("our books"))
def our_value(row: Difference) -> object:
    return value(row, row.ours)


@column(gettext_lazy("Stripe"))
def stripe_value(row: Difference) -> object:
    return value(row, row.theirs)


@column(gettext_lazy("what"))
def kind_and_id(row: Difference) -> SafeString:
    return format_html("{}<br><small>{}</small>", kind(row), stripe_object(row))


@column(gettext_lazy("object"))
def stripe_object(row: Difference) -> object:
    return columns.code(row.stripe_id)


def value(row: Difference, text: str) -> object:
    """Return a stored value for display: an amount, an amount with its fee, a time, yes or no, or a status."""
    if found := re.fullmatch(r"(-?\d+) ([A-Z]{3})(?:, (-?\d+))?", text):
        amount, currency, fee = found.groups()
        shown = columns.amount(int(amount), currency)
        if fee is None:
            return shown
        return format_html("{}<br><small>{}</small>", shown, _("fee %(fee)s") % {"fee": plain(fee, currency)})
    if re.match(r"\d{4}-\d\d-\d\dT", text):
        return columns.moment(datetime.fromisoformat(text))
    return {"": _("nothing"), "yes": _("yes"), "no": _("no")}.get(text) or STATUSES.get(row.kind, {}).get(text, text)


def plain(minor: str, currency: str) -> str:
    return columns.plain_amount(int(minor), currency)


def difference_in_words(row: Difference) -> SafeString:
    names = {"what": KINDS.get(row.kind, row.kind), "field": FIELDS.get(row.field, row.field)}
    first = _("%(what)s, %(field)s.") % names
    return format_html("{} {}: {}. {}: {}.", first, _("Our books"), our_value(row), _("Stripe"), stripe_value(row))


def our_row(row: Difference) -> Model | None:
    """Return our row for the object of a difference; None if there is no such row, or no model for the kind."""
    model, name = MODELS.get(row.kind, (None, ""))
    return model._default_manager.filter(**{name: row.stripe_id}).first() if model else None

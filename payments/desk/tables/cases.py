"""Cases in a table of a desk page, and their facts in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.columns import GOOD, LATE, NONE, column
from payments.desk.pages import Table
from payments.models import Case, Dispute, Payment, Payout, Refund, Subscription


@column(gettext_lazy("state"))
def case_state(row: Case) -> SafeString:
    return columns.state(_("settled"), GOOD) if row.settled_at else columns.state(_("open"), LATE)


NAMES = {
    "payment": gettext_lazy("Payment"),
    "payments": gettext_lazy("Payments"),
    "subscription": gettext_lazy("Subscription"),
    "subscriptions": gettext_lazy("Subscriptions"),
    "agreed": gettext_lazy("Agreed"),
    "taken": gettext_lazy("Taken by Stripe"),
    "taken_back": gettext_lazy("Taken back"),
    "renews_on": gettext_lazy("Renews on"),
    "amount": gettext_lazy("Amount"),
    "reason": gettext_lazy("Reason"),
    "status": gettext_lazy("Status"),
    "unusual": gettext_lazy("Unusual"),
    "refund": gettext_lazy("Refund"),
    "dispute": gettext_lazy("Dispute"),
    "invoice": gettext_lazy("Invoice at Stripe"),
    "problem": gettext_lazy("Problem"),
    "customer": gettext_lazy("Customer at Stripe"),
    "payout": gettext_lazy("Payout"),
    "unexplained": gettext_lazy("Unexplained"),
    "missing": gettext_lazy("Missing in our books"),
    "lines": gettext_lazy("Lines that are missing"),
}


ROWS: dict[str, type[Model]] = {
    "payment": Payment,
    "payments": Payment,
    "subscription": Subscription,
    "subscriptions": Subscription,
    "refund": Refund,
    "dispute": Dispute,
    "payout": Payout,
}


# Why a gift is not one that our forms make (stripe_api/billing/prices.py).
UNUSUAL = {
    "items": gettext_lazy("not exactly one item"),
    "quantity": gettext_lazy("a quantity"),
    "price": gettext_lazy("a price that Stripe works out"),
    "rhythm": gettext_lazy("a rhythm of its own"),
    "discount": gettext_lazy("a discount"),
    "tax": gettext_lazy("a tax"),
    "planned": gettext_lazy("a planned change"),
    "bill": gettext_lazy("a bill instead of a charge"),
}


def linked(name: str, value: object) -> object:
    """Return a case's fact for display: ids of rows become links, an amount with its currency becomes one sum."""
    if name == "unusual" and isinstance(value, list):
        return ", ".join(str(UNUSUAL.get(each, each)) for each in value)
    values = value if isinstance(value, list) else [value]
    if len(values) == 2 and isinstance(values[0], int) and isinstance(values[1], str):
        return columns.amount(values[0], values[1])
    numbers: list[int] = [number for number in values if isinstance(number, int)]
    if name in ROWS:
        return linked_rows(ROWS[name](pk=number) for number in numbers)
    return value


def linked_rows(rows: Iterable[Model]) -> SafeString:
    return format_html_join(", ", "{}", ((columns.link(row),) for row in rows))


def case_table(rows: Any) -> Table:
    head = [_("Case"), _("State"), _("Noticed"), _("Note")]
    shown = [[columns.link(row), case_state(row), columns.moment(row.opened_at), row.note or NONE] for row in rows]
    return Table(_("Cases"), head, shown, empty=_("None."))

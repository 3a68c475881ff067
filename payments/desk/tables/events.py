"""Find our rows that a Stripe event is about, by the Stripe ids in its payload. Used by payments/admin/events.py."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Model
from django.utils.translation import gettext as _

from payments.desk import columns
from payments.desk.pages import Table
from payments.models import Checkout, Payment, Refund, Subscription

ID = re.compile(rb'"((cs|sub|pi|in|ch|py|re)_[A-Za-z0-9_]{3,250})"')
MOST_IDS = 100
PLACES: tuple[tuple[str, type[Model], str], ...] = (
    ("cs", Checkout, "stripe_session_id"),
    ("sub", Subscription, "stripe_subscription_id"),
    ("pi", Payment, "stripe_payment_intent_id"),
    ("in", Payment, "stripe_invoice_id"),
    ("ch", Payment, "stripe_charge_id"),
    ("py", Payment, "stripe_charge_id"),
    ("re", Refund, "stripe_refund_id"),
)


def object_table(payload: bytes) -> Table:
    """Return links to our rows named in a payload, with at most one query per kind of id. Accepts any bytes."""
    found = dict.fromkeys(rows_named_in(payload))
    shown = [[row._meta.verbose_name, columns.link(row)] for row in found]
    return Table(_("What it is about"), [_("What"), _("Row")], shown, empty=_("Nothing we have recorded."))


def rows_named_in(payload: bytes) -> Iterator[Model]:
    ids: dict[str, set[str]] = defaultdict(set)
    for match in list(ID.finditer(payload))[:MOST_IDS]:
        ids[match[2].decode()].add(match[1].decode())
    for prefix, model, field in PLACES:
        if ids[prefix]:
            yield from model._default_manager.filter(**{f"{field}__in": ids[prefix]}).order_by("pk")

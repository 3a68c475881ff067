"""The lists of the staff desk, one module each. Importing this package registers them all with Django's admin.

Everything that the lists share is in payments/desk/: pages, columns, filters, search, acts.
"""

from payments.admin import (
    cases,
    checkouts,
    differences,
    disputes,
    events,
    ledger,
    messages,
    payments,
    payouts,
    reconciliation,
    refund_requests,
    rights,
    subscriptions,
    supporters,
    suppressions,
)
from payments.staff import colleagues, held_refunds, log, sign_ins

__all__ = [
    "cases",
    "checkouts",
    "colleagues",
    "differences",
    "disputes",
    "events",
    "held_refunds",
    "ledger",
    "log",
    "messages",
    "payments",
    "payouts",
    "reconciliation",
    "refund_requests",
    "rights",
    "sign_ins",
    "subscriptions",
    "supporters",
    "suppressions",
]

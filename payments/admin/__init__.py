"""The staff's desk. Importing it registers every list; what they share is in pages.py, columns.py and acts.py."""

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
    subscriptions,
    supporters,
    suppressions,
)

__all__ = [
    "cases",
    "checkouts",
    "differences",
    "disputes",
    "events",
    "ledger",
    "messages",
    "payments",
    "payouts",
    "reconciliation",
    "refund_requests",
    "subscriptions",
    "supporters",
    "suppressions",
]

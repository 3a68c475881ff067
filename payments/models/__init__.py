from payments.models.alerts import Alert, KeyFault
from payments.models.cases import Case
from payments.models.changes import SubscriptionChange
from payments.models.disputes import Dispute
from payments.models.giving import Checkout, Frequency, Subscription
from payments.models.guarding import (
    CheckoutOrigin,
    DoorPeriod,
    FailedTry,
    HeldGift,
    SessionExpiry,
    SpentProof,
)
from payments.models.inbox import StripeEvent
from payments.models.money import DEBITS, KEPT, LedgerEntry, Payment, Refund, is_debit
from payments.models.payouts import Payout, PayoutLine
from payments.models.reconciling import Difference, Reconciliation
from payments.models.requests import (
    Heartbeat,
    HeldRefund,
    MethodChange,
    OverdueTry,
    PortalConfiguration,
    PortalVisit,
    RefundRequest,
    StripeRequest,
)
from payments.models.rights import CustomerDeletion, Erasure, RetentionRun
from payments.models.unpaid import UnpaidInvoice

__all__ = [
    "DEBITS",
    "KEPT",
    "Alert",
    "Case",
    "Checkout",
    "CheckoutOrigin",
    "CustomerDeletion",
    "Difference",
    "Dispute",
    "DoorPeriod",
    "Erasure",
    "FailedTry",
    "Frequency",
    "Heartbeat",
    "HeldGift",
    "HeldRefund",
    "KeyFault",
    "LedgerEntry",
    "MethodChange",
    "OverdueTry",
    "Payment",
    "Payout",
    "PayoutLine",
    "PortalConfiguration",
    "PortalVisit",
    "Reconciliation",
    "Refund",
    "RefundRequest",
    "RetentionRun",
    "SessionExpiry",
    "SpentProof",
    "StripeEvent",
    "StripeRequest",
    "Subscription",
    "SubscriptionChange",
    "UnpaidInvoice",
    "is_debit",
]

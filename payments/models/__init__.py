from payments.models.cases import Case
from payments.models.giving import Checkout, Frequency, Subscription, SubscriptionChange
from payments.models.inbox import StripeEvent
from payments.models.money import LedgerEntry, Payment, Refund

__all__ = [
    "Case",
    "Checkout",
    "Frequency",
    "LedgerEntry",
    "Payment",
    "Refund",
    "StripeEvent",
    "Subscription",
    "SubscriptionChange",
]

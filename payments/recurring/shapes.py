"""Cases for recurring gifts that our forms would not have made, and for states of Stripe's that we do not know.

Staff can agree on anything in Stripe's dashboard: it is mirrored and shown, and a person looks at it once. Called by
subscriptions.py, inside the transaction of a group of events.
"""

from __future__ import annotations

from payments import cases
from payments.models import Case, Subscription
from payments.stripe_api import objects


def check(row: Subscription, agreed: objects.Subscription) -> None:
    """Open a case, once per gift, for an unusual shape, and one for each unknown state. Idempotent.

    Does nothing about the shape of a gift that has ended: nothing more is charged for it.
    """
    if agreed.unusual and row.is_alive:
        facts = {"subscription": row.pk, "unusual": list(agreed.unusual)}
        cases.open_case(Case.Kind.UNUSUAL_GIFT, f"subscription:{row.pk}:unusual", row.supporter, facts)
    if row.status not in Subscription.Status.values:
        facts = {"subscription": row.pk, "status": row.status}
        cases.open_case(Case.Kind.STATUS_UNKNOWN, f"subscription:{row.pk}:{row.status}", row.supporter, facts)

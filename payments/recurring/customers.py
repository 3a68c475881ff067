"""What happens to a giver's customer object at Stripe: deleted, or given another address. Our supporters stay ours.

Called by the handlers of customer.*, inside the transaction. The card a customer pays with is in methods.py.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils.crypto import salted_hmac

from members.models import Supporter, TimelineEntry
from payments import cases
from payments.models import Case
from payments.stripe_api import values


def givers(customer_id: str) -> list[Supporter]:
    """Who gives or gave as this customer, once or regularly."""
    theirs = Q(subscriptions__stripe_customer_id=customer_id) | Q(payments__stripe_customer_id=customer_id)
    return list(Supporter.objects.filter(theirs).distinct().order_by("pk")) if customer_id else []


def note_deleted(customer_id: str) -> None:
    """A customer was deleted at Stripe. Kept on the timeline, once; the supporter stays in our books."""
    for supporter in givers(customer_id):
        TimelineEntry.objects.get_or_create(
            supporter=supporter, action="customer.deleted", details={"customer": customer_id}
        )


def look_at_address(customer: values.Customer) -> None:
    """Show staff that somebody gave the customer another address at Stripe; ours stays, for it is where letters go.

    A typed address proves nothing, so it is neither taken over nor copied: staff read it there. Once an address.
    """
    for supporter in givers(customer.id):
        if customer.email and customer.email.lower() != supporter.email.lower():
            mark = salted_hmac("payments.customers", customer.email.lower()).hexdigest()[:16]
            facts = {"customer": customer.id}
            cases.open_case(Case.Kind.EMAIL_DIFFERS, f"{customer.id}:{supporter.pk}:{mark}", supporter, facts)

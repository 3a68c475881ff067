"""Finding a person by their address or public id, with the ids of their objects at Stripe.

Who only began a gift has no supporter's row: then the address is all we know. Called by export and erasing.
"""

from __future__ import annotations

from django.db.models import Q

from members import addresses
from members.links import public_ids
from members.models import Message, Supporter, Suppression
from members.rights.person import Person
from payments.errors import NobodyKnown
from payments.models import (
    Checkout,
    Dispute,
    MethodChange,
    Payment,
    Refund,
    Subscription,
    UnpaidInvoice,
)
from payments.rights import events


def find(who: str) -> Person:
    """Return the person with this address or public id. Raises NobodyKnown.

    Rows without a supporter count as theirs by the present address only.
    """
    public_id = public_ids.parse(who)
    rows = Supporter.objects.filter(public_id=public_id) if public_id else Supporter.objects.with_email(who)
    supporter = rows.first()
    if supporter:
        return of(supporter)
    person = Person(None, (addresses.normal(who).lower(),))
    if public_id or not _has_rows(person):
        raise NobodyKnown
    return Person(None, person.addresses, _ids(person))


def of(supporter: Supporter) -> Person:
    """Return the person of a supporter's row."""
    person = Person(supporter, (supporter.email.lower(),))
    return Person(supporter, person.addresses, _ids(person))


def whole(person: Person) -> Person:
    """Return the person with all that erasing must find: former addresses, and ids that only events know."""
    found = with_former_addresses(person)
    return Person(found.supporter, found.addresses, found.ids | events.ids_behind(found))


def with_former_addresses(person: Person) -> Person:
    """Return the person with the addresses that were once theirs too. One that another supporter has now is not."""
    number = person.number
    once = set(Checkout.objects.filter(supporter=number).values_list("email", flat=True))
    once |= set(Message.objects.filter(supporter=number).values_list("to_email", flat=True))
    former = {email.lower() for email in once if email} - set(person.addresses)
    others = {email for email in former if Supporter.objects.with_email(email).exclude(pk=number).exists()}
    return Person(person.supporter, (*person.addresses, *sorted(former - others)), person.ids)


def customers_of(person: Person) -> list[str]:
    """Return the ids of the person's customers at Stripe, without those through which somebody else gives too."""
    found = {stripe_id for stripe_id in person.ids if stripe_id.startswith("cus_")}
    return sorted(customer for customer in found if not _is_shared(customer, person))


def _is_shared(customer: str, person: Person) -> bool:
    others = {"stripe_customer_id": customer, "supporter__erased_at": None}
    return any(
        model._default_manager.filter(**others).exclude(supporter=person.number).exists()
        for model in (Subscription, Payment)
    )


def _has_rows(person: Person) -> bool:
    return (
        Checkout.objects.filter(person.with_address("email"), supporter=None).exists()
        or Message.objects.filter(person.with_address("to_email"), supporter=None).exists()
        or Suppression.objects.filter(person.with_address("email")).exists()
    )


def _ids(person: Person) -> frozenset[str]:
    """Return the ids at Stripe of everything that is the person's, and their checkouts' ids in Stripe's metadata."""
    own = Q(supporter=person.number)
    begun = Q(supporter=person.number) | Q(supporter=None) & person.with_address("email")
    of_payment, of_gift = Q(payment__supporter=person.number), Q(subscription__supporter=person.number)
    sources = (
        (Checkout, begun, ("public_id", "stripe_session_id")),
        (Subscription, own, ("stripe_subscription_id", "stripe_customer_id", "stripe_payment_method_id")),
        (
            Payment,
            own,
            ("stripe_customer_id", "stripe_payment_intent_id", "stripe_invoice_id", "stripe_charge_id"),
        ),
        (Refund, of_payment, ("stripe_refund_id",)),
        (Dispute, of_payment, ("stripe_dispute_id",)),
        (UnpaidInvoice, of_gift, ("stripe_invoice_id",)),
        (MethodChange, of_gift, ("stripe_payment_method_id",)),
    )
    found: set[object] = set()
    for model, wanted, fields in sources:
        for row in model._default_manager.filter(wanted).values_list(*fields):
            found |= set(row)
    return frozenset(str(value) for value in found if value)

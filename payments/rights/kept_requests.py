"""The privacy map of what was asked for and what staff decided: changes, refunds, visits to Stripe, cases, erasures."""

from __future__ import annotations

from django.db.models import Q

from members.rights.lines import Basis, Erase, Kept, Line, Period
from members.rights.person import Person
from payments.models import (
    Case,
    CustomerDeletion,
    Difference,
    Erasure,
    MethodChange,
    OverdueTry,
    PortalVisit,
    RefundRequest,
    SubscriptionChange,
)

CONTRACT, LAW, INTEREST = Basis.CONTRACT, Basis.LAW, Basis.INTEREST
KNOWN, BOOKS = Period.KNOWN, Period.BOOKS
NAME = Line("to ask Stripe once", CONTRACT, BOOKS, Erase.SEALED)
PARAMS = Line("to ask Stripe once", CONTRACT, BOOKS, Erase.SEALED)
ANSWER = Line("to know what Stripe said", CONTRACT, BOOKS, Erase.EMPTIED)
STRIPE_ID = Line("to match Stripe's reports", CONTRACT, BOOKS, Erase.SEALED)


def _of_subscription(person: Person) -> Q:
    return Q(subscription__supporter=person.number)


def _of_payment(person: Person) -> Q:
    return Q(payment__supporter=person.number)


REQUESTS = (
    Kept(
        SubscriptionChange,
        _of_subscription,
        {
            "public_id": NAME,
            "stripe_params": PARAMS,
            "error": ANSWER,
            "bills": Line("to name what is still taken", CONTRACT, BOOKS, Erase.SEALED),
            "bills_of_others": Line("to let other gifts go on", CONTRACT, BOOKS, Erase.SEALED),
            "surface": Line("to learn where it was asked", INTEREST, KNOWN, Erase.EMPTIED),
            "reason": Line("to learn", INTEREST, KNOWN, Erase.EMPTIED),
            "words": Line("to learn", INTEREST, KNOWN, Erase.EMPTIED),
        },
    ),
    Kept(
        RefundRequest,
        _of_payment,
        {
            "public_id": NAME,
            "stripe_params": PARAMS,
            "error": ANSWER,
            "sentence": Line("to explain the refund", CONTRACT, KNOWN, Erase.EMPTIED),
            "stripe_refund_id": STRIPE_ID,
        },
    ),
    Kept(
        PortalVisit,
        _of_subscription,
        {
            "public_id": NAME,
            "stripe_params": Line("to lead to Stripe once", CONTRACT, KNOWN, Erase.EMPTIED, is_given=False),
            "error": ANSWER,
            "method_before": Line("to see that another was chosen", CONTRACT, KNOWN, Erase.EMPTIED),
            "default_before": Line("to see that another was chosen", CONTRACT, KNOWN, Erase.EMPTIED),
        },
    ),
    Kept(
        MethodChange,
        _of_subscription,
        {
            "public_id": NAME,
            "stripe_params": PARAMS,
            "error": ANSWER,
            "stripe_payment_method_id": STRIPE_ID,
        },
    ),
    Kept(
        OverdueTry,
        _of_payment,
        {
            "public_id": NAME,
            "stripe_params": PARAMS,
            "error": ANSWER,
            "stripe_payment_method_id": STRIPE_ID,
        },
    ),
)

DECISIONS = (
    Kept(
        Case,
        lambda person: Q(supporter=person.number),
        {
            "key": Line("to open a case once", INTEREST, BOOKS, Erase.SEALED),
            "facts": Line("to decide about money", INTEREST, BOOKS, Erase.SEALED),
            "note": Line("to explain the decision", INTEREST, KNOWN, Erase.EMPTIED),
        },
    ),
    Kept(
        Difference,
        lambda person: Q(stripe_id__in=person.ids),
        {
            "stripe_id": STRIPE_ID,
            "ours": Line("to compare with Stripe", LAW, BOOKS, Erase.SEALED),
            "theirs": Line("to compare with Stripe", LAW, BOOKS, Erase.SEALED),
            "note": Line("to explain the decision", INTEREST, KNOWN, Erase.EMPTIED),
        },
        nothing=("kind", "field"),
    ),
    Kept(
        Erasure,
        lambda person: Q(supporter=person.number),
        {"public_id": NAME, "surface": Line("to prove the erasing", LAW, BOOKS, Erase.SEALED)},
    ),
    Kept(
        CustomerDeletion,
        lambda person: Q(erasure__supporter=person.number),
        {"public_id": NAME, "stripe_params": PARAMS, "error": ANSWER, "stripe_customer_id": STRIPE_ID},
    ),
)

KEPT = (*REQUESTS, *DECISIONS)

"""The privacy map of gifts and money: checkouts, consents, subscriptions, payments and what became of them."""

from __future__ import annotations

from django.db.models import Q

from members.models import Consent
from members.rights.lines import Basis, Erase, Kept, Line, Period
from members.rights.person import Person
from payments.models import Checkout, Dispute, LedgerEntry, Payment, Refund, Subscription, UnpaidInvoice

CONTRACT, CONSENT, LAW, INTEREST = Basis.CONTRACT, Basis.CONSENT, Basis.LAW, Basis.INTEREST
KNOWN, BOOKS, CHECKOUT = Period.KNOWN, Period.BOOKS, Period.CHECKOUT
SEALED_ID = Line("to match Stripe's reports about money", LAW, BOOKS, Erase.SEALED)
SEALED_NAME = Line("to name the row in links", CONTRACT, BOOKS, Erase.SEALED)
ARTICLE = Line("to learn which article led to the gift", INTEREST, KNOWN, Erase.EMPTIED)
METHOD = Line("to name what the gift is paid from", CONTRACT, KNOWN, Erase.SHORTENED)
DECLINE = Line("to explain why it failed", CONTRACT, KNOWN, Erase.EMPTIED)


def checkouts_of(person: Person, before: str = "") -> Q:
    """Return the condition for the person's checkouts; `before` is the path to them from another model."""
    own = Q(**{f"{before}supporter": person.number})
    return own | Q(**{f"{before}supporter": None}) & person.with_address(f"{before}email")


GIFTS = (
    Kept(
        Checkout,
        checkouts_of,
        {
            "public_id": SEALED_NAME,
            "reference": Line("to answer questions about it", CONTRACT, CHECKOUT, Erase.SEALED),
            "form_key": Line("to make one checkout of a double click", CONTRACT, CHECKOUT, Erase.REPLACED),
            "email": Line("to lead to Stripe, and to know who gave", CONTRACT, CHECKOUT, Erase.ADDRESS),
            "name": Line("to greet", CONTRACT, CHECKOUT, Erase.EMPTIED),
            "language": Line("to show pages and emails in it", CONTRACT, CHECKOUT, Erase.EMPTIED),
            "article": ARTICLE,
            "stripe_params": Line("to make one session at Stripe", CONTRACT, CHECKOUT, Erase.EMPTIED),
            "stripe_session_id": SEALED_ID,
            "stripe_session_url": Line("to lead to Stripe", CONTRACT, CHECKOUT, Erase.EMPTIED, is_given=False),
            "failure_code": DECLINE,
        },
        nothing=("currency",),
    ),
    Kept(
        Consent,
        lambda person: checkouts_of(person, "checkouts__"),
        {
            "words": Line("to prove the agreement", CONSENT, CHECKOUT, Erase.EMPTIED),
            "words_version": Line("to prove the agreement", CONSENT, CHECKOUT, Erase.SEALED),
            "language": Line("to prove the agreement", CONSENT, CHECKOUT, Erase.EMPTIED),
        },
        nothing=("purpose", "surface"),
    ),
    Kept(
        Subscription,
        lambda person: Q(supporter=person.number),
        {
            "public_id": SEALED_NAME,
            "article": ARTICLE,
            "stripe_subscription_id": SEALED_ID,
            "stripe_customer_id": SEALED_ID,
            "method": METHOD,
            "method_expires_on": Line("to warn before a card expires", CONTRACT, KNOWN, Erase.EMPTIED),
            # Not emptied: a card that seems to be another one has an overdue payment tried.
            "stripe_payment_method_id": Line("to know when a card is gone", CONTRACT, BOOKS, Erase.SEALED),
        },
        nothing=("interval", "currency"),
    ),
    Kept(
        UnpaidInvoice,
        lambda person: Q(subscription__supporter=person.number),
        {"stripe_invoice_id": SEALED_ID},
        nothing=("currency",),
    ),
)

MONEY = (
    Kept(
        Payment,
        lambda person: Q(supporter=person.number),
        {
            "public_id": SEALED_NAME,
            "article": ARTICLE,
            "stripe_customer_id": SEALED_ID,
            "stripe_payment_intent_id": SEALED_ID,
            "stripe_invoice_id": SEALED_ID,
            "stripe_charge_id": SEALED_ID,
            "method": METHOD,
            "failure_code": DECLINE,
        },
        nothing=("currency",),
    ),
    Kept(
        Refund,
        lambda person: Q(payment__supporter=person.number),
        {
            "stripe_refund_id": SEALED_ID,
            "reason": Line("to explain the refund", LAW, BOOKS, Erase.SEALED),
            "failure_reason": Line("to explain the refund", LAW, BOOKS, Erase.SEALED),
        },
        nothing=("currency",),
    ),
    Kept(
        Dispute,
        lambda person: Q(payment__supporter=person.number),
        {
            "stripe_dispute_id": SEALED_ID,
            "reason": Line("to answer the bank", LAW, BOOKS, Erase.SEALED),
        },
        nothing=("currency",),
    ),
    Kept(
        LedgerEntry,
        lambda person: Q(payment__supporter=person.number),
        {"source": SEALED_ID},
        nothing=("currency", "settled_currency"),
    ),
)

KEPT = (*GIFTS, *MONEY)

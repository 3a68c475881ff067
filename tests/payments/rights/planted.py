"""A person with a row of every model of the privacy map, and a word of their own planted in each field of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from members.models import DeliveryReport, MailChoice, Supporter, Suppression, TimelineEntry
from payments.guard import marks
from payments.models import (
    Case,
    CheckoutOrigin,
    CustomerDeletion,
    Difference,
    Erasure,
    FailedTry,
    HeldGift,
    HeldRefund,
    LedgerEntry,
    MethodChange,
    OverdueTry,
    Payout,
    PayoutLine,
    PortalVisit,
    RefundRequest,
    SessionExpiry,
    StripeEvent,
    SubscriptionChange,
    UnpaidInvoice,
)
from payments.rights.map import MAP
from tests import factories

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@dataclass
class Planted:
    """`words` are what was planted, by model and field; `rows` the rows."""

    supporter: Supporter
    rows: dict[type[models.Model], models.Model]
    words: dict[tuple[str, str], str] = field(default_factory=dict)


def person(prefix: str) -> Planted:
    """Make a person; every word that is planted begins with `prefix`, three letters that are nowhere else."""
    who = factories.supporter()
    rows = rows_of(who)
    made = Planted(who, rows)
    numbers = count(1)
    for kept in MAP:
        if not kept.lines or kept.model is StripeEvent:
            continue
        row = rows[kept.model]
        values = {name: planted(row, name, f"{prefix}{next(numbers):03}") for name in kept.lines}
        if kept.model is not LedgerEntry:  # it cannot be changed
            kept.model._default_manager.filter(pk=row.pk).update(**values)
        row.refresh_from_db()
        made.words |= {
            (kept.model.__name__, name): word_in(getattr(row, name))
            for name in kept.lines
            if not isinstance(row._meta.get_field(name), models.DateField)
        }
    made.rows[StripeEvent] = event(made, prefix)
    who.refresh_from_db()
    return made


def planted(row: models.Model, name: str, word: str) -> Any:
    kind = row._meta.get_field(name)
    if isinstance(kind, models.UUIDField):
        return getattr(row, name)
    if isinstance(kind, models.JSONField):
        return {"said": word}
    if isinstance(kind, models.DateField):
        return date(2031, 7, int(word[3:]) % 28 + 1)
    if isinstance(kind, models.EmailField):
        # Everything that has the person's address has the same one.
        return f"{word[:3]}mail@example.org"
    if isinstance(kind, ArrayField):
        return [word]
    if name == "address":  # a keyed hash of it
        return marks.of_address(f"{word[:3]}mail@example.org")
    return word


def word_in(value: Any) -> str:
    if isinstance(value, list):
        return str(value[0])
    return str(value.get("said", "")) if isinstance(value, dict) else str(value)


def event(made: Planted, prefix: str) -> StripeEvent:
    customer = made.words["Subscription", "stripe_customer_id"]
    words = {name: f"{prefix}9{place:02}" for place, name in enumerate(("id", "payload", "error"))}
    thing = {"id": "cs_x", "object": "checkout.session", "customer": customer, "note": words["payload"]}
    body = {"id": words["id"], "data": {"object": {**thing, "url": f"https://pay.example.org/{prefix}secret"}}}
    made.words |= {("StripeEvent", name): word for name, word in words.items()}
    return factories.event(payload=json.dumps(body).encode(), id=words["id"], error=words["error"])


def rows_of(who: Supporter) -> dict[type[models.Model], models.Model]:
    """Make one row of each model that holds something about a person, all of them theirs."""
    membership = factories.membership(who)
    checkout = factories.checkout(who)
    gift = factories.subscription(who, checkout=checkout, membership=membership)
    paid = factories.payment(who, checkout=checkout, subscription=gift, stripe_invoice_id=f"in_{who.pk}")
    refund = factories.refund(paid, 100)
    dispute = factories.dispute(paid)
    letter = factories.message(who)
    line = LedgerEntry.objects.create(
        payment=paid, kind="charge", source=f"line_{who.pk}", amount=1000, currency="EUR", occurred_at=NOON
    )
    erasure = Erasure.objects.create(supporter=who, state=Erasure.State.CALLED_OFF)
    made = [
        who,
        membership,
        checkout,
        checkout.consent,
        gift,
        paid,
        refund,
        dispute,
        line,
        letter,
        erasure,
        TimelineEntry.objects.create(supporter=who, action="message.resent"),
        MailChoice.objects.create(supporter=who, kind="anniversary", is_wanted=False),
        Suppression.objects.create(email=who.email, reason="staff"),
        DeliveryReport.objects.create(report_id=f"r{who.pk}", message=letter, what="delayed", happened_at=NOON),
        UnpaidInvoice.objects.create(
            subscription=gift, stripe_invoice_id=f"in2_{who.pk}", amount=1, currency="EUR", due_at=NOON
        ),
        SubscriptionChange.objects.create(subscription=gift, kind="pause", state="seen", surface="mail"),
        RefundRequest.objects.create(payment=paid, amount=1, reason="duplicate", state="seen"),
        PortalVisit.objects.create(subscription=gift, state="seen"),
        MethodChange.objects.create(subscription=gift, state="seen", stripe_payment_method_id="pm"),
        OverdueTry.objects.create(payment=paid, state="seen", stripe_payment_method_id="pm"),
        Case.objects.create(kind="dispute", key=f"case:{who.pk}", supporter=who),
        Difference.objects.create(kind="payment", stripe_id=f"pi_{who.pk}", field="amount", state="noted"),
        CustomerDeletion.objects.create(erasure=erasure, stripe_customer_id=f"cus_{who.pk}", state="seen"),
        CheckoutOrigin.objects.create(checkout=checkout, networks=["x"], address="x"),
        FailedTry.objects.create(key=f"t{who.pk}", tried_at=NOON, checkout=checkout),
        HeldGift.objects.create(key=f"g{who.pk}", address="x", amount=1, currency="EUR"),
        SessionExpiry.objects.create(checkout=checkout, state="seen", stripe_session_id=f"cs_{who.pk}"),
        HeldRefund.objects.create(payment=paid, amount=1, reason="duplicate", asked_by=factories.staff(f"s{who.pk}")),
        payout_line(line),
    ]
    return {type(row): row for row in made}


def payout_line(line: LedgerEntry) -> PayoutLine:
    number = line.payment.supporter_id
    payout = Payout.objects.create(
        stripe_payout_id=f"po_{number}", status="paid", amount=1, currency="EUR", arrives_on=NOON, created_at=NOON
    )
    return PayoutLine.objects.create(
        payout=payout,
        stripe_balance_transaction_id=f"txn_{number}",
        type="charge",
        amount=1,
        fee=0,
        net=1,
        currency="EUR",
        occurred_at=NOON,
        ledger_entry=line,
    )

"""Emails about a renewal that failed: four, on days 0, 3, 7 and 14 after the first failed try, each with other words.

If the bank wants the payment confirmed, there are three instead, on days 0, 2 and 5. After days without a run only the
newest one is sent. None is sent any more once the payment is paid, voided or written off, or the gift is stopped,
paused or over. The first is queued by books/instalments.py with its cause, the later ones by the daily jobs (due.py).
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Case as SqlCase
from django.db.models import Exists, IntegerField, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Concat, TruncDate

from members import clock
from members.links import signed
from members.mail import outbox
from members.models import Message
from payments import cases
from payments.accounts import tries
from payments.giving import suggestions
from payments.letters import drafts
from payments.letters import gifts as gift_letters
from payments.letters.due import DueLetter, each, unless_sent
from payments.models import Case, Payment, Subscription, SubscriptionChange

FAILED, CONFIRM = "payment_failed", "action_required"
# Each email's number, and the day from which it is due; LAST_DAY is the last one on which any is.
STEPS = {1: 0, 2: 3, 3: 7, 4: 14}
CONFIRMING = {1: 0, 2: 2, 3: 5}
LAST_DAY = 20
CAUSES = {
    "expired_card": "card_ran_out",
    "insufficient_funds": "not_enough",
    "authentication_required": "confirmation",
    "invoice_payment_intent_requires_action": "confirmation",
}
WANTS_CONFIRMATION = [code for code, reason in CAUSES.items() if reason == "confirmation"]


def tell(payment: Payment, *, was_with_bank: bool = False) -> Message | None:
    """Queue the email that is due for a renewal whose try has just failed; return it, or None if none is new.

    None is due while the gift is paused or about to end, or when the bank ended the mandate (methods.py emails about
    that). If the supporter has another gift that continues, staff get a case instead. A debit that was with the bank
    gets `processing_failed`. Idempotent. Call it in the transaction of the cause.
    """
    gift = payment.subscription
    if gift is None or payment.failing_since is None or gift.collection_paused or gift.is_ending_or_asked_to:
        return None
    if gift.method_problem == Subscription.MethodProblem.MANDATE_INACTIVE:
        return None  # methods.mandate_cancelled has been queued
    if gift.has_another_active:
        facts = {"payment": payment.pk, "subscription": gift.pk}
        cases.open_case(Case.Kind.FAILED_BESIDE, f"payment:{payment.pk}:failed_beside", payment.supporter, facts)
        return None
    if was_with_bank:
        return gift_letters.processing_failed(payment)
    days = (clock.today() - clock.day_of(payment.failing_since)).days
    if payment.failure_code in WANTS_CONFIRMATION:
        letter = action_required(payment, _step(CONFIRMING, days))
    else:
        letter = failed(payment, _step(STEPS, days))
    return next(iter(outbox.enqueue([letter])), None)


def failed(payment: Payment, step: int) -> Message:
    """Build the email about a failed renewal, without queueing it: the reason, the next try, and the page for another
    card.

    `step` is 1 to 4. Its key names payment and step, so that it is queued once.
    """
    reason = CAUSES.get(payment.failure_code, "")
    gift = payment.subscription
    can_give_less = bool(gift and gift.is_as_offered and suggestions.lower(gift.amount, gift.currency, gift.frequency))
    facts = {**_facts(payment), "reason": reason, "can_give_less": can_give_less, "can_debit": _can_debit(payment)}
    if day := tries.next_try_on(payment):
        facts["next_try_on"] = day.isoformat()
    return drafts.draft(f"{FAILED}_{step}", payment.public_id, payment, facts)


def _can_debit(payment: Payment) -> bool:
    """Return whether a bank debit is an alternative: it works in euros only, and was not the method that failed."""
    return payment.currency == "EUR" and not payment.is_debit


def action_required(payment: Payment, step: int) -> Message:
    """Build the email that the bank wants the payment confirmed, without queueing it.

    `step` is 1 to 3. Its key names payment and step, so that it is queued once.
    """
    confirm_url = signed.url("confirm", str(payment.public_id), drafts.language_of(payment))
    facts = {**_facts(payment), "confirm_url": confirm_url}
    return drafts.draft(CONFIRM, f"{payment.public_id}:{step}", payment, facts)


def take_back(payments: QuerySet[Payment]) -> None:
    """Cancel the unsent emails about these failed payments, because their reason no longer applies. Idempotent."""
    keys = [key for payment in payments.filter(failing_since__isnull=False) for key in _keys(payment)]
    if keys:
        outbox.cancel(Message.objects.filter(key__in=keys), "paid, stopped or given up since then")


def _step(steps: dict[int, int], days: int) -> int:
    """Return the number of the newest email that is due this many days after the first failure."""
    return max(step for step, first in steps.items() if first <= max(days, 0))


def _facts(payment: Payment) -> drafts.Facts:
    """Return the facts of a failed renewal. The payment has a subscription and `failing_since`."""
    assert payment.subscription is not None  # noqa: S101 - a renewal
    assert payment.failing_since is not None  # noqa: S101 - it fails
    gift, language = payment.subscription, drafts.language_of(payment)
    return {
        **drafts.gift(payment),
        "failed_on": str(clock.day_of(payment.failing_since)),
        "method_url": signed.url("method", str(gift.public_id), language),
        "stop_url": drafts.stop_url(gift, language),
    }


def _keys(payment: Payment) -> list[str]:
    """Return the keys of all emails of this module about a payment."""
    failures = [f"{FAILED}_{step}:{payment.public_id}" for step in STEPS]
    return failures + [f"{CONFIRM}:{payment.public_id}:{step}" for step in CONFIRMING]


def _failures_due(today: date) -> QuerySet[Payment]:
    """Return failed renewals for which email 2, 3 or 4 is due.

    If Stripe tries again today, email 2 or 3 waits for the result: `tell` queues it when the try fails.
    """
    is_not_tried_today = Q(next_attempt_on__isnull=True) | ~Q(next_attempt_on=today)
    rows = _later_step_due(STEPS, today).exclude(failure_code__in=WANTS_CONFIRMATION)
    rows = rows.filter(is_not_tried_today | Q(step=max(STEPS)))
    kind = Concat(Value(f"{FAILED}_"), Cast("step", TextField()), output_field=TextField())
    return unless_sent(rows.annotate(step_kind=kind), "step_kind", "public_id")


def _confirmations_due(today: date) -> QuerySet[Payment]:
    """Return failed renewals for which email 2 or 3 about confirming is due."""
    rows = _later_step_due(CONFIRMING, today).filter(failure_code__in=WANTS_CONFIRMATION)
    return unless_sent(rows, Value(CONFIRM), "public_id", "step")


def _failing(today: date) -> QuerySet[Payment]:
    """Return failed renewals that began to fail recently enough for an email to be due."""
    first = today - timedelta(days=LAST_DAY)
    failing = Payment.objects.filter(status=Payment.Status.FAILED, failing_since__isnull=False)
    return failing.filter(failing_since__date__range=(first, today))


def _later_step_due(steps: dict[int, int], today: date) -> QuerySet[Payment]:
    """Return failed renewals for which a later email than the first is due, its number as `step`.

    Only of gifts that may still be charged and have no stop request, and of supporters without another gift that
    continues.
    """
    stop_asked = SubscriptionChange.objects.filter(
        subscription=OuterRef("subscription"), kind=SubscriptionChange.Kind.STOP, state__in=SubscriptionChange.UNSEEN
    )
    others = (
        Subscription.objects.continuing().filter(supporter=OuterRef("supporter")).exclude(pk=OuterRef("subscription"))
    )
    began = {step: today - timedelta(days=first) for step, first in sorted(steps.items(), reverse=True) if step > 1}
    choices = [When(failing_on__lte=day, then=step) for step, day in began.items()]
    return (
        _failing(today)
        .filter(
            subscription__collection_paused=False,
            subscription__in=Subscription.objects.going_on(),
        )
        .exclude(subscription__status__in=Subscription.NOT_ALIVE)
        .exclude(subscription__method_problem=Subscription.MethodProblem.MANDATE_INACTIVE)
        .annotate(failing_on=TruncDate("failing_since"), next_attempt_on=TruncDate("next_attempt_at"))
        .filter(failing_on__lte=max(began.values()))
        .annotate(step=SqlCase(*choices, output_field=IntegerField()))
        .filter(~Exists(stop_asked), ~Exists(others))
        .select_related("supporter", "subscription__checkout", "checkout")
        .order_by("failing_since", "pk")
    )


FAILING = DueLetter(FAILED, _failing, _failures_due, each(lambda row: failed(row, getattr(row, "step", 1))))
UNCONFIRMED = DueLetter(
    CONFIRM, _failing, _confirmations_due, each(lambda row: action_required(row, getattr(row, "step", 1)))
)

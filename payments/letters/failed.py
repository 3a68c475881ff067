"""Letters about a renewal that did not go through: four, further and further apart, until it is paid or given up.

Counted from the day the first try failed: at once, on day 3, 7 and 14, each in words of its own and by cause. What the
bank wants confirmed is no failure and has its own letter, at once, on day 2 and 5. After days without a run only the
newest is owed. They end when the payment is paid, voided or written off, and when the gift is stopped, paused or over.
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
from payments.giving import suggestions
from payments.letters import drafts
from payments.letters import gifts as gift_letters
from payments.letters.due import DueLetter, unless_sent
from payments.models import Case, Payment, Subscription, SubscriptionChange

FAILED, CONFIRM = "payment_failed", "action_required"
# From which day on each letter is due, and the last day of the last one.
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
    """The letter that is due for a try that has just failed; a case for staff where another gift of theirs goes on.

    A debit that was with the bank has words of its own. In the transaction of its cause. Safe to call again: each
    letter exists once.
    """
    gift = payment.subscription
    if gift is None or payment.failing_since is None or gift.collection_paused or gift.is_ending_or_asked_to:
        return None
    if gift.method_problem == Subscription.MethodProblem.MANDATE_INACTIVE:
        return None  # told by a letter of its own (methods.py)
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
    """Why, when it is tried again, and the one page that helps. Once a payment and step. A draft."""
    reason = CAUSES.get(payment.failure_code, "")
    gift = payment.subscription
    can_give_less = gift is not None and suggestions.lower(gift.amount, gift.currency, gift.frequency) is not None
    facts = {**_facts(payment), "reason": reason, "can_give_less": can_give_less, "can_debit": _can_debit(payment)}
    if payment.next_attempt_at and reason != "card_ran_out":  # that one will not go through, whenever it is tried
        facts["next_try_on"] = str(clock.day_of(payment.next_attempt_at))
    return drafts.draft(f"{FAILED}_{step}", payment.public_id, payment, facts)


def _can_debit(payment: Payment) -> bool:
    """Whether a debit from a bank account would be another way than the one that failed: banks do it in euros alone."""
    return payment.currency == "EUR" and not payment.is_debit


def action_required(payment: Payment, step: int) -> Message:
    """The bank wants to hear from its customer first. Once a payment and step. A draft."""
    confirm_url = signed.url("confirm", str(payment.public_id), drafts.language_of(payment))
    facts = {**_facts(payment), "confirm_url": confirm_url}
    return drafts.draft(CONFIRM, f"{payment.public_id}:{step}", payment, facts)


def take_back(payments: QuerySet[Payment]) -> None:
    """Those of these letters that still wait are not sent: their reason is gone. Safe to call again."""
    keys = [key for payment in payments.filter(failing_since__isnull=False) for key in _keys(payment)]
    if keys:
        outbox.cancel(Message.objects.filter(key__in=keys), "paid, stopped or given up meanwhile")


def _step(steps: dict[int, int], days: int) -> int:
    return max(step for step, first in steps.items() if first <= max(days, 0))


def _facts(payment: Payment) -> drafts.Facts:
    """Of a payment of a recurring gift that has failed."""
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
    failures = [f"{FAILED}_{step}:{payment.public_id}" for step in STEPS]
    return failures + [f"{CONFIRM}:{payment.public_id}:{step}" for step in CONFIRMING]


def _failures_due(today: date) -> QuerySet[Payment]:
    """The later ones. One that is tried again today waits for what comes of it: `tell` is called for that."""
    is_news = Q(next_attempt_on__isnull=True) | ~Q(next_attempt_on=today) | Q(step=max(STEPS))
    rows = _waiting(STEPS, today).exclude(failure_code__in=WANTS_CONFIRMATION).filter(is_news)
    kind = Concat(Value(f"{FAILED}_"), Cast("step", TextField()), output_field=TextField())
    return unless_sent(rows.annotate(step_kind=kind), "step_kind", "public_id")


def _confirmations_due(today: date) -> QuerySet[Payment]:
    rows = _waiting(CONFIRMING, today).filter(failure_code__in=WANTS_CONFIRMATION)
    return unless_sent(rows, Value(CONFIRM), "public_id", "step")


def _failing(today: date) -> QuerySet[Payment]:
    """Return renewals that began to fail so short a time ago that a letter may be due."""
    first = today - timedelta(days=LAST_DAY)
    failing = Payment.objects.filter(status=Payment.Status.FAILED, failing_since__isnull=False)
    return failing.filter(failing_since__date__range=(first, today))


def _waiting(steps: dict[int, int], today: date) -> QuerySet[Payment]:
    """Renewals for which a later step than the first is due, `step`, of gifts that are to go on."""
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
            subscription__status__in=Subscription.ALIVE,
            subscription__collection_paused=False,
            subscription__cancel_at_period_end=False,
            subscription__cancel_at=None,
        )
        .exclude(subscription__method_problem=Subscription.MethodProblem.MANDATE_INACTIVE)
        .annotate(failing_on=TruncDate("failing_since"), next_attempt_on=TruncDate("next_attempt_at"))
        .filter(failing_on__lte=max(began.values()))
        .annotate(step=SqlCase(*choices, output_field=IntegerField()))
        .filter(~Exists(stop_asked), ~Exists(others))
        .select_related("supporter", "subscription__checkout", "checkout")
        .order_by("failing_since", "pk")
    )


FAILING = DueLetter(FAILED, _failing, _failures_due, lambda row, _today: failed(row, getattr(row, "step", 1)))
UNCONFIRMED = DueLetter(
    CONFIRM, _failing, _confirmations_due, lambda row, _today: action_required(row, getattr(row, "step", 1))
)

"""Emails about money that went back: refunded by us, or taken back by a bank.

Queued by books/refunds.py and books/disputes.py, and by staff at the desk. They use the supporter's language, not that
of the pages on which the gift was made.
"""

from __future__ import annotations

from datetime import datetime

from members import clock
from members.mail import outbox
from members.mail.rendering import Letter, render
from members.models import Message
from payments.accounts import account as accounts
from payments.letters import drafts
from payments.models import Dispute, Payment, Refund, StripeRequest, Subscription

DISPUTE_NOTE = "dispute_note"


def refund_done(refund: Refund, sentence: str = "") -> Message | None:
    """Queue the email that money is on its way back: amount, method, duration. Once per refund.

    `sentence` is a sentence by staff. Return the new message, or None if it exists.
    """
    payment = refund.payment
    facts = _refund_facts(payment, refund.amount, refund.created_at, sentence, is_stopping=False)
    return drafts.send("refund_done", refund.stripe_refund_id, payment, facts, payment.supporter.language)


def was_told(refund: Refund) -> bool:
    """Return whether an email was queued that this money is on its way."""
    return Message.objects.filter(key=f"refund_done:{refund.stripe_refund_id}").exists()


def payment_returned(payment: Payment) -> Message | None:
    """Queue the email that the bank took back a debit that had arrived, so that its receipt is void. Once per payment.

    Return the new message, or None if it exists.
    """
    language = payment.supporter.language
    gift = payment.subscription
    facts = {**drafts.arrived(payment), "again_url": drafts.again_url(payment, language)}
    if gift and not gift.is_ending_or_asked_to:
        facts |= _continuing_facts(gift, language)
    return drafts.send("payment_returned", payment.public_id, payment, facts, language)


def continues(gift: Subscription) -> bool:
    """Return whether a gift that is not about to end will be charged: its card or account is usable, it is neither
    paused nor asked to be paused, and Stripe collects it.
    """
    if gift.method_problem or gift.pauses_by(*StripeRequest.UNSEEN):
        return False
    return accounts.of(gift).next_on is not None


def dispute_note(dispute: Dispute) -> Message | None:
    """Queue the email in which staff kindly ask about a disputed gift. Once per dispute.

    Return the new message, or None if it exists.
    """
    return next(iter(outbox.enqueue([dispute_note_draft(dispute)])), None)


def dispute_note_draft(dispute: Dispute) -> Message:
    """Draft the email that `dispute_note` queues, for a preview."""
    payment = dispute.payment
    gift = payment.subscription
    language = payment.supporter.language
    facts = drafts.arrived(payment)
    if gift and not gift.is_ending_or_asked_to:
        facts["stop_url"] = drafts.stop_url(gift, language)
    return drafts.draft(DISPUTE_NOTE, dispute.stripe_dispute_id, payment, facts, language)


def refund_preview(payment: Payment, amount: int, sentence: str, *, is_stopping: bool) -> Letter:
    """Return the email that `refund_done` would send for a refund of `amount` made now. Queues nothing.

    `amount` is in minor units of the payment's currency. `is_stopping`: the recurring gift is stopped with the refund.
    """
    facts = _refund_facts(payment, amount, clock.now(), sentence, is_stopping=is_stopping)
    supporter = payment.supporter
    context = drafts.context_of(supporter, supporter.language, facts)
    return render(Message(kind="refund_done", language=supporter.language, supporter=supporter, context=context))


def _refund_facts(payment: Payment, amount: int, at: datetime, sentence: str, *, is_stopping: bool) -> drafts.Facts:
    """Return the facts about a refund of `amount`, in minor units of the payment's currency, made `at` this time.

    If the recurring gift continues, they include that and the stop link.
    """
    facts = {
        **drafts.arrived(payment),
        "back_amount": amount,
        "back_on": str(clock.day_of(at)),
        "is_whole": amount == payment.amount,
        "sentence": sentence,
    }
    subscription = payment.subscription
    if subscription and not is_stopping and not subscription.is_ending_or_asked_to:
        facts |= _continuing_facts(subscription, payment.supporter.language)
    return facts


def _continuing_facts(gift: Subscription, language: str) -> drafts.Facts:
    return {"stop_url": drafts.stop_url(gift, language), "is_going": continues(gift)}

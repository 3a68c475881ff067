"""Letters about money that went back: sent back by us, or taken back by a bank. They come later than the thanks, and
speak as the supporter wants to be written to, whatever the pages of the gift spoke.

What they share with all others is emails.py's.
"""

from __future__ import annotations

from datetime import datetime

from members import clock
from members.mail import outbox
from members.mail.rendering import Letter, render
from members.models import Message
from payments.letters import drafts
from payments.models import Dispute, Payment, Refund, StripeRequest, Subscription

DISPUTE_NOTE = "dispute_note"


def refund_done(refund: Refund, sentence: str = "") -> Message | None:
    """Money is on its way back: how much, where to, how long it takes. Once a refund."""
    payment = refund.payment
    facts = _sent_back(payment, refund.amount, refund.created_at, sentence, is_stopping=False)
    return drafts.send("refund_done", refund.stripe_refund_id, payment, facts, payment.supporter.language)


def was_told(refund: Refund) -> bool:
    """Whether its supporter was told that this money is on its way."""
    return Message.objects.filter(key=f"refund_done:{refund.stripe_refund_id}").exists()


def payment_returned(payment: Payment) -> Message | None:
    """A bank took back a debit that had arrived, so that thanks and receipt no longer hold. Once a payment."""
    language, gift = payment.supporter.language, payment.subscription
    facts = {**drafts.arrived(payment), "again_url": drafts.again_url(payment, language)}
    if gift and not gift.is_ending_or_asked_to:
        facts |= _going(gift, language)
    return drafts.send("payment_returned", payment.public_id, payment, facts, language)


def goes_on(gift: Subscription) -> bool:
    """Whether a gift that nobody stops is charged as before: it does not rest, and its card or debit is not gone."""
    return not gift.pauses_by(*StripeRequest.UNSEEN) and not gift.method_problem


def dispute_note(dispute: Dispute) -> Message | None:
    """Staff ask, kindly, what was wrong with a gift that a bank took back. Once a dispute."""
    return next(iter(outbox.owe([dispute_note_draft(dispute)])), None)


def dispute_note_draft(dispute: Dispute) -> Message:
    payment, gift, language = dispute.payment, dispute.payment.subscription, dispute.payment.supporter.language
    facts = drafts.arrived(payment)
    if gift and not gift.is_ending_or_asked_to:
        facts["stop_url"] = drafts.stop_url(gift, language)
    return drafts.draft(DISPUTE_NOTE, dispute.stripe_dispute_id, payment, facts, language)


def refund_preview(payment: Payment, amount: int, sentence: str, *, is_stopping: bool) -> Letter:
    """What refund_done would say now, for whoever is about to send `amount` back. Sends nothing."""
    facts = _sent_back(payment, amount, clock.now(), sentence, is_stopping=is_stopping)
    language, who = payment.supporter.language, payment.supporter
    context = drafts.context_of(who, language, facts)
    return render(Message(kind="refund_done", language=language, supporter=who, context=context))


def _sent_back(payment: Payment, amount: int, at: datetime, sentence: str, *, is_stopping: bool) -> drafts.Facts:
    """Amounts in minor units of the payment's currency. One who goes on giving is told so; one who has not stopped, how
    to.
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
        facts |= _going(subscription, payment.supporter.language)
    return facts


def _going(gift: Subscription, language: str) -> drafts.Facts:
    return {"stop_url": drafts.stop_url(gift, language), "is_going": goes_on(gift)}

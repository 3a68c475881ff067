"""The samples of emails about money that went back: refunds, returned debits, disputes. Part of catalogue.py."""

from __future__ import annotations

from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from members.models import Message
from payments.desk.samples.rows import Giver, dispute, given_once, paused, refund, renewal, subscription
from payments.desk.samples.sample import Sample, Variant, always
from payments.letters import refunds as refund_letters


def _refund(who: Giver, *, is_whole: bool) -> Message | None:
    payment = given_once(who)
    with override(who.language):
        sentence = "" if is_whole else gettext("Half of it was charged by a mistake of ours. We are sorry.")
    return refund_letters.refund_done(refund(payment, payment.amount if is_whole else payment.amount // 2), sentence)


MONEY_BACK: dict[str, Sample] = {
    "refund_done": Sample(
        _("When money was sent back."),
        {
            "whole": Variant(_("All of it"), lambda who: _refund(who, is_whole=True)),
            "part": Variant(_("A part, with a sentence of yours"), lambda who: _refund(who, is_whole=False)),
        },
    ),
    "payment_returned": Sample(
        _("When a bank took back a debit that had arrived."),
        {
            "month": Variant(_("Monthly"), lambda who: refund_letters.payment_returned(renewal(subscription(who)))),
            "paused": Variant(_("Paused"), lambda who: refund_letters.payment_returned(renewal(paused(who)))),
            "once": Variant(_("Once"), lambda who: refund_letters.payment_returned(given_once(who))),
        },
    ),
    "dispute_note": always(
        _("When staff ask for it, about a gift that a bank took back."),
        lambda who: refund_letters.dispute_note(dispute(renewal(subscription(who)))),
    ),
}

"""The samples of emails about money that arrived, or that a bank still works on. Part of catalogue.py."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from members import clock
from members.models import Message
from payments.desk.samples.rows import Giver, failed, first, given_once, paused, renewal, stopping, subscription
from payments.desk.samples.sample import Sample, Variant, always
from payments.letters import gifts as gift_letters
from payments.models import Payment


def _debit(who: Giver) -> Message | None:
    return gift_letters.thanks_processing(first(subscription(who), status="processing", method="SEPA 3000"))


def _thanks(payment: Payment) -> Message:
    return gift_letters.thank_once([payment])[0]


def _again(who: Giver) -> Message:
    given_once(who, paid_at=clock.now() - timedelta(days=400))
    return _thanks(given_once(who))


RECEIVED: dict[str, Sample] = {
    "thanks_first_once": always(
        _("At once, when a gift given once has arrived."), lambda who: _thanks(given_once(who))
    ),
    "thanks_repeat_once": always(_("The same, when the giver had given before."), _again),
    "thanks_first_recurring": Sample(
        _("At once, when the first payment of a monthly or yearly gift has arrived."),
        {
            "month": Variant(_("Monthly"), lambda who: gift_letters.thanks_first_recurring(first(subscription(who)))),
            "year": Variant(
                _("Yearly"), lambda who: gift_letters.thanks_first_recurring(first(subscription(who, "year")))
            ),
        },
    ),
    "thanks_processing": always(_("At once, when a bank has taken an order for a debit."), _debit),
    "processing_done": Sample(
        _("When money that the bank was working on has arrived."),
        {
            "month": Variant(_("Monthly"), lambda who: gift_letters.processing_done(first(subscription(who)))),
            "once": Variant(_("Once"), lambda who: gift_letters.processing_done(given_once(who))),
        },
    ),
    "processing_failed": Sample(
        _("When the bank could not complete a debit."),
        {
            "first": Variant(
                _("The first payment"),
                lambda who: gift_letters.processing_failed(first(subscription(who), status="failed")),
            ),
            "renewal": Variant(
                _("A renewal"),
                lambda who: gift_letters.processing_failed(failed(subscription(who), "insufficient_funds")),
            ),
        },
    ),
    "receipt_recurring": Sample(
        _("At once, when a renewal has arrived."),
        {
            "goes_on": Variant(_("It goes on"), lambda who: gift_letters.receipt_recurring(renewal(subscription(who)))),
            "stopped": Variant(
                _("It was stopped meanwhile"), lambda who: gift_letters.receipt_recurring(renewal(stopping(who)))
            ),
            "paused": Variant(
                _("It was paused meanwhile"), lambda who: gift_letters.receipt_recurring(renewal(paused(who)))
            ),
        },
    ),
    "payment_recovered": always(
        _("When a renewal went through after tries that failed."),
        lambda who: gift_letters.receipt_recurring(renewal(subscription(who), failures=2)),
    ),
}

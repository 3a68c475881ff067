"""Which letters there are, when each is sent, and how to make one of each case. The letters are in payments/letters/.

A new kind gets its entry here: tests/payments/desk/test_samples.py asks for it.
"""

from __future__ import annotations

from copy import copy
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from members import clock
from members.links import fresh as fresh_links
from members.models import Message
from payments.alerts import letters as alert_letters
from payments.alerts.rules import BY_NAME
from payments.desk.samples.failing import FAILING
from payments.desk.samples.rows import Giver, dispute, failed, first, given_once, refund, renewal, subscription
from payments.desk.samples.sample import USUAL, Sample, Variant, always
from payments.letters import calendar as calendar_letters
from payments.letters import changes as change_letters
from payments.letters import endings, reminders
from payments.letters import gifts as gift_letters
from payments.letters import links as link_letters
from payments.letters import refunds as refund_letters
from payments.letters import staff as staff_letters
from payments.models import Alert, Payment, Subscription


def _alert(who: Giver) -> Message:
    moment = clock.now() - timedelta(minutes=12)
    alert = Alert(name="events-waiting", since=moment, told_at=moment, facts={"count": 3, "minutes": 12})
    return alert_letters.draft(BY_NAME["events-waiting"], alert, who.supporter.email, language=who.language)


def _refund(who: Giver, *, is_whole: bool) -> Message | None:
    payment = given_once(who)
    with override(who.language):
        sentence = "" if is_whole else gettext("Half of it was charged by a mistake of ours. We are sorry.")
    return refund_letters.refund_done(refund(payment, payment.amount if is_whole else payment.amount // 2), sentence)


def _ending(who: Giver) -> Subscription:
    return subscription(who, cancel_at_period_end=True, canceled_at=clock.now())


def _one_of_two_stopped(who: Giver) -> Message | None:
    subscription(who, "year")
    ending = _ending(who)
    renewal(ending, status="processing", paid_at=None)
    return endings.cancelled(ending, None)


def _over(who: Giver) -> Subscription:
    return subscription(who, renews_on=clock.today(), status="canceled", ended_at=clock.now())


def _debit(who: Giver) -> Message | None:
    return gift_letters.thanks_processing(first(subscription(who), status="processing", method="SEPA 3000"))


def _fresh(who: Giver) -> Message | None:
    return fresh_links.fresh_link("stop", str(subscription(who).public_id), who.supporter)


def _thanks(payment: Payment) -> Message:
    return gift_letters.thank_once([payment])[0]


def _again(who: Giver) -> Message:
    given_once(who, paid_at=clock.now() - timedelta(days=400))
    return _thanks(given_once(who))


def _twice(who: Giver) -> Message | None:
    return link_letters.duplicate_plan(subscription(who), [subscription(who, "year")])


def _full_year(who: Giver, frequency: str = "month") -> Subscription:
    """A gift of which a year is full today, as the day's query finds it."""
    row, times = subscription(who, frequency, started_at=clock.now() - timedelta(days=366)), 12
    for name, value in {"years": 1, "times": times, "given": times * row.amount}.items():
        setattr(row, name, value)
    return row


def _to_staff(who: Giver, kind: str, facts: dict[str, Any]) -> Message:
    return staff_letters.drafts(kind, "sample", facts, [who.supporter.email], who.language)[0]


def _new_patrons(who: Giver, *rows: Subscription) -> Message:
    return _to_staff(who, staff_letters.NEW_PATRONS, staff_letters.new_patron_facts(list(rows)))


def _large(who: Giver) -> Message:
    return _to_staff(who, staff_letters.LARGE_GIFT, staff_letters.large_gift_facts(given_once(who)))


def _several(who: Giver) -> Message | None:
    return link_letters.gift_links(who.supporter, [subscription(who, "year"), subscription(who), _ending(who)])


def _resting(who: Giver, **values: Any) -> Subscription:
    until = {"resumes_at": clock.now() + timedelta(days=90), "renews_on": clock.today() + timedelta(days=112)}
    return subscription(who, collection_paused=True, **until | values)


def _renewing(who: Giver, problem: str = "") -> Message:
    renews_on = clock.today() + timedelta(days=30)
    return reminders.renewal_upcoming_year(subscription(who, "year", renews_on=renews_on, method_problem=problem), 30)


def _another_amount(row: Subscription, before: int) -> Message | None:
    was = copy(row)
    was.amount = before
    return change_letters.plan_changed(row, was)


def _less(row: Subscription) -> Message | None:
    return _another_amount(row, row.amount * 10)


def _more(row: Subscription) -> Message | None:
    return _another_amount(row, row.amount // 2)


SAMPLES: dict[str, Sample] = {
    **FAILING,
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
                _("It was stopped meanwhile"), lambda who: gift_letters.receipt_recurring(renewal(_ending(who)))
            ),
            "paused": Variant(
                _("It was paused meanwhile"), lambda who: gift_letters.receipt_recurring(renewal(_resting(who)))
            ),
        },
    ),
    "renewal_upcoming_year": Sample(
        _("30 and 7 days before a yearly gift renews."),
        {
            "usual": Variant(USUAL, _renewing),
            "lacks_method": Variant(_("The bank ended the debits"), lambda who: _renewing(who, "mandate_inactive")),
        },
    ),
    "cancelled": Sample(
        _("At once, when a gift was stopped."),
        {
            "alone": Variant(_("The only one"), lambda who: endings.cancelled(_ending(who), None)),
            "beside": Variant(_("Beside another, a debit under way"), _one_of_two_stopped),
        },
    ),
    "ended": always(_("When the time that was paid for is over after a stop."), lambda who: endings.ended(_over(who))),
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
            "paused": Variant(_("Paused"), lambda who: refund_letters.payment_returned(renewal(_resting(who)))),
            "once": Variant(_("Once"), lambda who: refund_letters.payment_returned(given_once(who))),
        },
    ),
    "dispute_note": always(
        _("When staff ask for it, about a gift that a bank took back."),
        lambda who: refund_letters.dispute_note(dispute(renewal(subscription(who)))),
    ),
    "payment_recovered": always(
        _("When a renewal went through after tries that failed."),
        lambda who: gift_letters.receipt_recurring(renewal(subscription(who), failures=2)),
    ),
    "paused": Sample(
        _("When a gift was paused."),
        {
            "ends": Variant(_("Until a day"), lambda who: change_letters.paused(_resting(who))),
            "open": Variant(_("Without an end"), lambda who: change_letters.paused(_resting(who, resumes_at=None))),
        },
    ),
    "resume_soon": always(_("Five days before a pause ends."), lambda who: change_letters.resume_soon(_resting(who))),
    "resumed": always(
        _("When a stop or a pause was taken back."), lambda who: change_letters.resumed(subscription(who))
    ),
    "plan_changed": Sample(
        _("When a recurring gift has a lower amount."),
        {
            "usual": Variant(USUAL, lambda who: _less(subscription(who))),
            "paused": Variant(_("Paused"), lambda who: _less(_resting(who))),
        },
    ),
    "thanks_upgrade": Sample(
        _("When a recurring gift has a higher amount."),
        {
            "usual": Variant(USUAL, lambda who: _more(subscription(who))),
            "paused": Variant(_("Paused"), lambda who: _more(_resting(who))),
        },
    ),
    "monthly_reminder": always(
        _("Once a year, thirty days before another year of a monthly gift is full, or after a pause over that time."),
        lambda who: calendar_letters.monthly_reminder(_full_year(who)),
    ),
    "anniversary": Sample(
        _("Two days after another year of a recurring gift is full, to those who want it."),
        {
            "month": Variant(_("Monthly"), lambda who: calendar_letters.anniversary(_full_year(who))),
            "year": Variant(_("Yearly"), lambda who: calendar_letters.anniversary(_full_year(who, "year"))),
        },
    ),
    "renewal_upcoming_month": always(
        _("Three days before each monthly payment, to those who asked for it."),
        lambda who: calendar_letters.renewal_upcoming_month(
            subscription(who, renews_on=clock.today() + timedelta(days=3))
        ),
    ),
    "duplicate_plan": always(_("At once, when somebody who gives already begins a second recurring gift."), _twice),
    "fresh_link": always(_("When somebody asks for it on the page of a link that has run out."), _fresh),
    "gift_links": Sample(
        _("When somebody types their address on the page to change or stop a gift."),
        {
            "one": Variant(_("One gift"), lambda who: link_letters.gift_links(who.supporter, [subscription(who)])),
            "several": Variant(_("Several gifts"), _several),
            "none": Variant(_("No recurring gift"), lambda who: link_letters.gift_links(who.supporter, [])),
        },
    ),
    "staff_new_patron": Sample(
        _("Once an hour, when there are new patrons, to STAFF_GIFT_EMAILS."),
        {
            "one": Variant(_("One"), lambda who: _new_patrons(who, subscription(who))),
            "several": Variant(
                _("Several"), lambda who: _new_patrons(who, subscription(who), subscription(who, "year"))
            ),
        },
    ),
    "staff_large_gift": always(_("At once, when a large gift has arrived, to STAFF_GIFT_EMAILS."), _large),
    "staff_alert": always(_("When an alarm rings, and again every six hours until it is over."), _alert),
}

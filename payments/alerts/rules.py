"""The catalogue of alerts: each rule with its check, and the words for staff about what is wrong and what to do.

The checks are in looks.py; who is notified, and when, is in watch.py. Every rule has a section of its name in
docs/operations.md. `doctor` and the metrics list the rules too.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from payments.alerts import looks, mail_looks
from payments.alerts.about_door import ABOUT_DOOR
from payments.alerts.rule import Rule
from payments.models import Case

ABOUT_EVENTS = (
    Rule(
        "events-waiting",
        looks.events_waiting,
        _("Payments may be arriving late"),
        _("Events of Stripe’s that have waited for over five minutes: %(count)d. The oldest: %(minutes)d minutes."),
        _("Look whether the drain runs and whether Stripe answers. Nothing is lost: events wait and are worked later."),
        desk="/admin/payments/stripeevent/?state=waiting",
    ),
    Rule(
        "key-refused",
        looks.key_refused,
        _("Stripe refuses our key"),
        _("Events and requests that wait because Stripe refuses our key: %(count)d. The reason: %(reason)s."),
        _("Correct the key or its permissions. Nothing is lost: everything that waits goes on by itself then."),
        desk="/admin/payments/stripeevent/?state=waiting",
    ),
    Rule(
        "gifts-refused",
        looks.gifts_refused,
        _("Gifts cannot begin"),
        _("Reasons for which Stripe refused to begin a gift, by a fault of ours: %(count)d. The newest: %(reason)s."),
        _("Readers cannot give. Look up Stripe’s code, correct key, account or settings, and close the case."),
        desk="/admin/payments/case/",
    ),
    Rule(
        "events-dead",
        looks.events_dead,
        _("Events of Stripe’s cannot be worked"),
        _("Events of Stripe’s that failed several times: %(count)d. What they tell is missing in the books."),
        _("Open each, read the error, have it mended, and work them again: one by one, from the list, or with replay."),
        desk="/admin/payments/stripeevent/?state=stuck",
    ),
    Rule(
        "events-parked",
        looks.events_parked,
        _("Events wait for what does not come"),
        _("Events that have waited for over an hour for something else: %(count)d. The oldest: %(minutes)d minutes."),
        _("Open each and read what it waits for. Run the command reconcile: it fetches what never came."),
        desk="/admin/payments/stripeevent/?state=parked",
    ),
    Rule(
        "events-foreign",
        looks.events_foreign,
        _("Events of another mode or account"),
        _("Events of test mode or of another account in the last day: %(count)d. They are kept and change nothing."),
        _("Find the endpoint at Stripe that sends them, or correct the key. If they are live, real gifts are missing."),
        desk="/admin/payments/stripeevent/?state=foreign",
    ),
    Rule(
        "gifts-unknown",
        looks.gifts_unknown,
        _("Gifts are missing in our books"),
        _("Events that name gifts of ours of which the books know nothing: %(count)d. They wait and are kept."),
        _("Run the command reconcile, then take Stripe’s for the differences it finds. Usual after a restore."),
        desk="/admin/payments/stripeevent/?state=parked",
    ),
    Rule(
        "events-version",
        looks.events_version,
        _("Stripe sends another API version"),
        _("Events of another API version in the last day: %(count)d. They are understood, and cost more reads."),
        _("Run the command stripe_endpoint."),
        is_grave=False,
    ),
    Rule(
        "signatures-refused",
        looks.signatures_refused,
        _("Stripe’s events are refused"),
        _("Minutes since an event was last refused for its signature: %(minutes)d. None that fits came since."),
        _("Compare STRIPE_WEBHOOK_SECRETS with the endpoint’s secret at Stripe. What was refused is sent again."),
    ),
    Rule(
        "no-events",
        looks.no_events,
        _("Nothing has come from Stripe"),
        _("Hours without any event from Stripe: %(hours)d. Renewals should have come meanwhile."),
        _("Look at Stripe whether the endpoint is switched on and how it is answered. Run the command doctor."),
    ),
)

# Kinds of cases in which a person must decide about money. Kinds that have an alert of their own are left out.
MONEY_CASES = (
    Case.Kind.AMOUNT_MISMATCH,
    Case.Kind.DISPUTE_NOT_BOOKED,
    Case.Kind.DUPLICATE_PAYMENT,
    Case.Kind.DUPLICATE_SUBSCRIPTION,
    Case.Kind.FRAUD_WARNING,
    Case.Kind.INVOICE_PROBLEM,
    Case.Kind.PAYMENT_AFTER_END,
    Case.Kind.PAYOUT_NOT_BOOKED,
    Case.Kind.PAYOUT_UNEXPLAINED,
    Case.Kind.REFUND_FAILED,
    Case.Kind.REQUEST_REFUSED,
    Case.Kind.REQUEST_UNANSWERED,
    Case.Kind.TAKEN_TWICE,
)

ABOUT_GIFTS_AND_EMAILS = (
    Rule(
        "cases-open",
        looks.open_cases(*MONEY_CASES),
        _("Money waits for a decision"),
        _("Open cases about money: %(count)d. The oldest is %(minutes)d minutes old."),
        _("Open each and decide: give back, stop one of two, or settle it with a note."),
        desk="/admin/payments/case/",
    ),
    Rule(
        "renewals-missed",
        looks.open_cases(Case.Kind.RENEWAL_MISSED),
        _("Renewals did not come"),
        _("Renewals more than two days late, of which nothing was told: %(count)d."),
        _("Look at each subscription at Stripe, then settle the case."),
        desk="/admin/payments/case/",
    ),
    Rule(
        "reminders-late",
        looks.open_cases(Case.Kind.REMINDER_LATE),
        _("Yearly patrons were reminded late"),
        _("Reminders of a yearly renewal that went out later than promised: %(count)d."),
        _("Find out why beat or the worker did not run, then settle the cases."),
        desk="/admin/payments/case/",
    ),
    Rule(
        "letters-waiting",
        mail_looks.letters_waiting,
        _("Letters are waiting"),
        _("Letters that have waited for more than ten minutes: %(count)d. The oldest: %(minutes)d minutes."),
        _("Look whether the worker and beat run, Redis answers, the mail server takes letters and an address is set."),
        desk="/admin/members/message/?state__exact=pending",
    ),
    Rule(
        "letters-failed",
        mail_looks.letters_failed,
        _("Letters could not be sent"),
        _("Letters of the last day that could not be sent, or of which nobody knows whether they were: %(count)d."),
        _("Read the errors. Correct addresses, and send again what matters."),
        desk="/admin/members/message/?state__exact=failed",
    ),
    Rule(
        "letters-returned",
        mail_looks.letters_returned,
        _("Many letters come back"),
        _("Letters of the last day that came back: %(count)d of %(total)d that the mail provider told about."),
        _("Read the provider’s words on some of them: addresses that do not exist, or a server that refuses us."),
        desk="/admin/members/suppression/",
    ),
    Rule(
        "letters-complained",
        mail_looks.letters_complained,
        _("Readers mark our letters as spam"),
        _("Letters of the last week that were marked as spam: %(count)d of %(total)d that the provider told about."),
        _("Look which letters they were. Above three in a thousand, large providers stop taking any of our mail."),
        desk="/admin/members/suppression/",
    ),
    Rule(
        "letters-withheld",
        mail_looks.letters_withheld,
        _("Some addresses take no letters"),
        _("Letters of the last day that were not sent because nothing is sent to their address: %(count)d."),
        _("Find another way to reach these supporters, correct their address, and send the letter again."),
        desk="/admin/members/message/?state__exact=canceled",
        is_grave=False,
    ),
    Rule(
        "disputes-due",
        looks.disputes_due,
        _("A dispute waits for an answer"),
        _("Disputes that must be answered within three days, or they are lost: %(count)d."),
        _("Answer at Stripe, or accept the loss there."),
        desk="/admin/payments/dispute/",
    ),
    Rule(
        "requests-unanswered",
        looks.requests_unanswered,
        _("Stripe has not answered us"),
        _("Stops or refunds that have waited for Stripe’s answer for more than ten minutes: %(count)d."),
        _("Look whether Stripe answers. They are asked again by themselves, and each is done once."),
    ),
)

ABOUT_LEDGER = (
    Rule(
        "differences-open",
        looks.differences_open,
        _("Our books and Stripe’s differ"),
        _("Open differences between our books and Stripe’s: %(count)d."),
        _("Open each: take what Stripe says, or leave it with a note."),
        desk="/admin/payments/difference/",
    ),
    Rule(
        "not-compared",
        looks.not_compared,
        _("Our books were not compared"),
        _("Hours since the last whole comparison: %(hours)s. It should be done every day."),
        _("Look whether worker and beat run, then run the command reconcile and read what it says."),
    ),
    Rule(
        "not-listed",
        looks.not_listed,
        _("Missed events were not asked for"),
        _("Minutes since Stripe was last asked for missed events: %(minutes)s. It should be every quarter of an hour."),
        _("Look whether worker and beat run, and whether Stripe answers."),
    ),
    Rule(
        "books-broken",
        looks.books_broken,
        _("The books do not hold"),
        _("Sentences about the books that must be true and are not: %(count)d. The first: %(first)s."),
        _("Change nothing by hand. Run the command check_ledger and report what it says: the software is wrong."),
        is_costly=True,
    ),
)

ABOUT_PROCESSES = (
    Rule(
        "drain-silent",
        looks.silent("drain"),
        _("Payments are not being booked"),
        _("Minutes since the drain, which books payments, was last heard of: %(minutes)s."),
        _("Start the drain again. Until then events wait; nothing is lost."),
    ),
    Rule(
        "worker-silent",
        looks.silent("worker"),
        _("Letters are not being sent"),
        _("Minutes since the worker, which sends letters, was last heard of: %(minutes)s."),
        _("If beat is silent too, look there first. Else start the worker again, and look whether Redis answers."),
    ),
    Rule(
        "bulk-silent",
        looks.silent("bulk"),
        _("Daily jobs are not being done"),
        _("Minutes since the worker of the queue bulk, which does the daily jobs, was last heard of: %(minutes)s."),
        _("If beat is silent too, look there first. Else start that worker: no reminder is written without it."),
    ),
    Rule(
        "beat-silent",
        looks.silent("beat"),
        _("Nothing happens by itself any more"),
        _("Minutes since beat, which starts the regular jobs, was last heard of: %(minutes)s."),
        _("Start beat again, and look whether Redis answers. Until then no reminder is written."),
    ),
    Rule(
        "redis-away",
        looks.redis_away,
        _("Redis does not answer"),
        _("Redis does not answer (%(error)s). Letters and regular jobs wait; gifts go on and are booked."),
        _("Start Redis again."),
        is_grave=False,
    ),
)

RULES: tuple[Rule, ...] = (*ABOUT_EVENTS, *ABOUT_DOOR, *ABOUT_GIFTS_AND_EMAILS, *ABOUT_LEDGER, *ABOUT_PROCESSES)
BY_NAME = {rule.name: rule for rule in RULES}

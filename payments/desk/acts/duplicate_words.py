"""The words on the pages that close a duplicate: labels of the two rows, sentences about the effects, the email.

Used by duplicates.py. The sentences about a refund itself are in refunds.py.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from members.mail.rendering import Letter
from payments import money
from payments.books import refund_requests
from payments.desk import columns
from payments.desk.acts.refunds import money_sentences, preview
from payments.desk.patron_status import promise
from payments.models import Payment, Subscription
from payments.recurring import undoing


def subscription_label(subscription: Subscription) -> str:
    shown = {"number": subscription, "promise": promise(subscription), "day": columns.moment(subscription.started_at)}
    return _("%(number)s: %(promise)s, since %(day)s") % shown


def payment_label(payment: Payment) -> str:
    shown = {
        "number": payment,
        "amount": money.format(payment.amount, payment.currency),
        "day": columns.moment(payment.paid_at),
        "method": columns.paid_from(payment),
    }
    return _("%(number)s: %(amount)s, received %(day)s, %(method)s") % shown


def shown_of(payment: Payment | None, coming: Payment | None) -> str:
    """Return a key of what the page says goes back: a payment, how much of it, and a payment still with the bank.

    The act is refused if the key has changed by the time of the answer.
    """
    left = f"{payment.pk}:{refund_requests.left(payment)}" if payment else "nothing"
    return f"{left},{coming.pk}" if coming else left


def stopped_gift_sentences(subscription: Subscription, payment: Payment | None) -> list[object]:
    """Return what happens to the money of a subscription that is stopped: refunded now, or once the bank paid it."""
    coming = undoing.with_the_bank(subscription)
    if coming is None:
        return refund_sentences(payment)
    shown = {"amount": money.format(coming.amount, coming.currency)}
    later = _("%(amount)s is still with the bank. When it has come it is sent back by itself.") % shown
    return [later, *(refund_sentences(payment) if payment else [])]


def refund_sentences(payment: Payment | None) -> list[object]:
    """Return what refunding the rest of a payment does, or that there is nothing to refund."""
    if payment is None:
        return [_("Nothing of its payments is left to refund.")]
    return money_sentences(payment, refund_requests.left(payment))


def closed_sentences(*, of_two: bool = True) -> list[object]:
    """Return what becomes of the case and, if it is about more than one, of the other gift."""
    other = [_("The other one stays as it is.")] if of_two else []
    return [_("The case is settled with a note that says so."), *other]


def stop_note(subscription: Subscription, payment: Payment | None, coming: Payment | None) -> str:
    """Return the note on the case. `coming` is a payment that goes back once the bank has paid it."""
    note = _("Stopped subscription %(subscription)s and asked Stripe to refund payment %(payment)s.")
    if coming:
        note = _("Stopped subscription %(subscription)s. Payment %(payment)s goes back when it has come.")
    elif payment is None:
        note = _("Stopped subscription %(subscription)s. There was nothing to refund.")
    return note % {"subscription": subscription, "payment": coming or payment}


def email_preview(payment: Payment | None, answers: dict[str, Any], *, is_stopping: bool) -> Letter | None:
    """Return the email about refunding the rest of a payment, as staff may see it; None without a payment."""
    if payment is None:
        return None
    amount = refund_requests.left(payment)
    return preview(payment, amount, answers["sentence"], is_stopping=is_stopping)

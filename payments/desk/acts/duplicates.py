"""Settling a duplicate from its case: stop one of two subscriptions, refund one of two gifts, in one act.

The acts of CaseAdmin that move money; they need the right to change payments besides.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.mail.rendering import Letter
from payments import money
from payments.books import refund_requests
from payments.desk import columns
from payments.desk.acts.act import Act, Confirmation
from payments.desk.acts.refunds import (
    REFUSALS,
    SentenceField,
    money_sentences,
    outcome,
    outcome_before,
    preview,
    refund_sorry,
    stop_sentences,
)
from payments.desk.patron_status import promise
from payments.errors import AlreadySettled, NothingToRefund, OtherThanShown, StripeRefused
from payments.models import Case, Payment, RefundRequest, Subscription, SubscriptionChange
from payments.recurring import undoing


class WhichForm(forms.Form):
    """Which of the two goes; nothing is chosen before somebody chooses."""

    which = forms.ChoiceField(widget=forms.RadioSelect)
    sentence = SentenceField()

    def __init__(self, data: Any, label: str, choices: Iterable[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["which"].label = label
        self.fields["which"].choices = list(choices)  # type: ignore[attr-defined]


class SettleDuplicate(Act):
    is_confirmed = True
    problems = (*REFUSALS, AlreadySettled, OtherThanShown)
    done_in_part = (StripeRefused,)
    kind: Case.Kind
    least = 2
    already: object

    def is_open(self, row: Case) -> bool:
        return self.is_about(row) and bool(self.candidates(row))

    def is_about(self, row: Case) -> bool:
        return row.kind == self.kind and row.settled_at is None

    def candidates(self, row: Case) -> list[Any]:
        """What may go: the rows of the case of which something is left to undo. None once only the gift that was meant
        is left, because the other one was undone elsewhere.
        """
        found = [each for each in self.rows(row) if self.is_left(each)]
        return found if len(found) >= self.least else []

    def rows(self, row: Case) -> Iterable[Any]:
        """What the case is about."""
        raise NotImplementedError

    def is_left(self, each: Any) -> bool:
        """Whether something of it is left to undo."""
        raise NotImplementedError

    def why_not(self, row: Case) -> object:
        """Why nothing is offered for an open case; nothing when something is."""
        was_undone = self.is_about(row) and not self.candidates(row) and any(map(self._is_gone, self.rows(row)))
        return self.already if was_undone else ""

    def _is_gone(self, each: Any) -> bool:
        return not self.is_left(each)

    def chosen(self, row: Case, answers: dict[str, Any]) -> Any:
        found = next((found for found in self.candidates(row) if str(found.pk) == answers["which"]), None)
        if found is None:  # gone since the form was read, a moment ago
            raise NothingToRefund(answers["which"])
        return found

    def told_before(self, row: Case, wish: uuid.UUID) -> str:
        return outcome_before(RefundRequest.objects.filter(public_id=wish).first(), settled=True)

    def perform(self, row: Case, answers: dict[str, Any], actor: User) -> str:
        try:
            return self.settle(row, answers, actor)
        except (AlreadySettled, NothingToRefund, OtherThanShown):
            if told := self.told_before(row, answers["wish"]):  # the same button, pressed twice at the same moment
                return told
            raise

    def settle(self, row: Case, answers: dict[str, Any], actor: User) -> str:
        """Do it and settle the case; returns what to tell."""
        raise NotImplementedError

    def consequences(self, row: Case) -> list[object]:
        return [_("Nothing happens yet. The next page shows what will happen and the letter.")]

    def sorry(self, problem: Exception) -> str:
        if isinstance(problem, AlreadySettled):
            return _("Somebody settled this case a moment ago. Nothing was done. Go back to read their note.")
        if isinstance(problem, OtherThanShown):
            return _("Meanwhile its last payment came, failed or went back. Nothing was done: look at it again.")
        if isinstance(problem, StripeRefused):
            return _("Stripe refused to send money back. The case is settled, and a new one says what is left to do.")
        return refund_sorry(problem)


class StopOneAndRefund(SettleDuplicate):
    slug = "stop-one"
    label = gettext_lazy("Stop one and refund its last payment")
    needs = ("payments.change_payment", "payments.change_subscription")
    kind = Case.Kind.DUPLICATE_SUBSCRIPTION
    already = gettext_lazy("One of them is stopped already, so none is stopped here. Settle the case with a note.")

    def rows(self, row: Case) -> Iterable[Subscription]:
        found = Subscription.objects.filter(pk__in=row.facts.get("subscriptions", []))
        return found.select_related("supporter").order_by("pk")

    def is_left(self, each: Subscription) -> bool:
        return not each.is_ending_or_asked_to

    def form(self, row: Case, data: Any) -> forms.Form:
        return WhichForm(
            data, _("Which one stops?"), ((str(each.pk), described(each)) for each in self.candidates(row))
        )

    def question(self, row: Case) -> str:
        return _("Which of the subscriptions stops?")

    def confirmation(self, row: Case, answers: dict[str, Any]) -> Confirmation:
        subscription = self.chosen(row, answers)
        payment = undoing.last_refundable(subscription)
        sentences = [
            *stop_sentences(subscription.supporter),
            *_money_sentences(subscription, payment),
            *settled_sentences(),
        ]
        question = _("Stop %(promise)s and refund its last payment?") % {"promise": promise(subscription)}
        return Confirmation(
            question,
            sentences,
            _("Do it now"),
            letter_of(payment, answers, is_stopping=True),
            subscription.supporter.email,
            shown_of(payment, undoing.with_the_bank(subscription)),
        )

    def told_before(self, row: Case, wish: uuid.UUID) -> str:
        """Also of a stop with which nothing was left to send back."""
        has_stopped = SubscriptionChange.objects.filter(public_id=wish, subscription__in=self.rows(row)).exists()
        return super().told_before(row, wish) or (self.stopped() if has_stopped else "")

    def stopped(self) -> str:
        return _("The case is settled, and Stripe was asked to stop it.")

    def settle(self, row: Case, answers: dict[str, Any], actor: User) -> str:
        subscription = self.chosen(row, answers)
        payment, coming = undoing.last_refundable(subscription), undoing.with_the_bank(subscription)
        if answers["shown"] != shown_of(payment, coming):
            raise OtherThanShown(subscription.pk)
        note = _("Stopped subscription %(subscription)s and asked Stripe to refund payment %(payment)s.")
        if coming:
            note = _("Stopped subscription %(subscription)s. Payment %(payment)s goes back when it has come.")
        elif payment is None:
            note = _("Stopped subscription %(subscription)s. There was nothing to refund.")
        note = note % {"subscription": subscription, "payment": coming or payment}
        request = undoing.settle_duplicate(
            row, payment, subscription, actor, note, answers["sentence"], answers["wish"]
        )
        return outcome(request, settled=True) if request else self.stopped()


class RefundOne(SettleDuplicate):
    slug = "refund-one"
    label = gettext_lazy("Refund one")
    needs = ("payments.change_payment",)
    kind = Case.Kind.DUPLICATE_PAYMENT
    already = gettext_lazy("One of them went back already, so none is sent back here. Settle the case with a note.")

    def rows(self, row: Case) -> Iterable[Payment]:
        found = Payment.objects.filter(pk__in=row.facts.get("payments", []))
        return found.select_related("supporter", "checkout").order_by("pk")

    def is_left(self, each: Payment) -> bool:
        return refund_requests.left(each) > 0

    def form(self, row: Case, data: Any) -> forms.Form:
        choices = ((str(each.pk), paid(each)) for each in self.candidates(row))
        return WhichForm(data, _("Which one goes back?"), choices)

    def question(self, row: Case) -> str:
        return _("Which of the gifts goes back?")

    def confirmation(self, row: Case, answers: dict[str, Any]) -> Confirmation:
        payment = self.chosen(row, answers)
        shown = {"amount": money.format(refund_requests.left(payment), payment.currency), "payment": payment}
        return Confirmation(
            _("Send %(amount)s of payment %(payment)s back?") % shown,
            [*refund_sentences(payment), *settled_sentences()],
            _("Send %(amount)s back now") % shown,
            letter_of(payment, answers, is_stopping=False),
            payment.supporter.email,
        )

    def settle(self, row: Case, answers: dict[str, Any], actor: User) -> str:
        payment = self.chosen(row, answers)
        note = _("Asked Stripe to refund payment %(payment)s.") % {"payment": payment}
        request = undoing.settle_duplicate(row, payment, None, actor, note, answers["sentence"], answers["wish"])
        return outcome(request, settled=True) if request else ""


class RefundUnmeant(RefundOne):
    """Somebody only meant to give once, and their support is stopped: its last payment goes back."""

    slug = "refund-unmeant"
    label = gettext_lazy("Refund the last payment")
    kind = Case.Kind.MEANT_ONCE
    least = 1
    already = gettext_lazy("The last payment went back already. Settle the case with a note.")


def described(subscription: Subscription) -> str:
    shown = {"number": subscription, "promise": promise(subscription), "day": columns.moment(subscription.started_at)}
    return _("%(number)s: %(promise)s, since %(day)s") % shown


def paid(payment: Payment) -> str:
    shown = {
        "number": payment,
        "amount": money.format(payment.amount, payment.currency),
        "day": columns.moment(payment.paid_at),
        "method": columns.paid_from(payment),
    }
    return _("%(number)s: %(amount)s, received %(day)s, %(method)s") % shown


def shown_of(payment: Payment | None, coming: Payment | None) -> str:
    """What the page says goes back: how much of which payment, and the one that is still with the bank."""
    left = f"{payment.pk}:{refund_requests.left(payment)}" if payment else "nothing"
    return f"{left},{coming.pk}" if coming else left


def _money_sentences(subscription: Subscription, payment: Payment | None) -> list[object]:
    coming = undoing.with_the_bank(subscription)
    if coming is None:
        return refund_sentences(payment)
    shown = {"amount": money.format(coming.amount, coming.currency)}
    later = _("%(amount)s is still with the bank. When it has come it is sent back by itself.") % shown
    return [later, *(refund_sentences(payment) if payment else [])]


def refund_sentences(payment: Payment | None) -> list[object]:
    if payment is None:
        return [_("Nothing of its payments is left to refund.")]
    return money_sentences(payment, refund_requests.left(payment))


def settled_sentences() -> list[object]:
    return [_("The case is settled with a note that says so."), _("The other one stays as it is.")]


def letter_of(payment: Payment | None, answers: dict[str, Any], *, is_stopping: bool) -> Letter | None:
    if payment is None:
        return None
    amount = refund_requests.left(payment)
    return preview(payment, amount, answers["sentence"], is_stopping=is_stopping)

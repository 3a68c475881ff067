"""Close a duplicate from its case: stop one of two subscriptions, or refund one of two gifts, in one act.

These acts on a case move money, so they also need the right to change payments. The words on their pages are in
duplicate_words.py; the rule that they call is payments/recurring/undoing.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments import money
from payments.books import refund_limits, refund_requests
from payments.desk.acts.act import Act, Confirmation, with_stripe_code
from payments.desk.acts.duplicate_words import (
    closed_sentences,
    email_preview,
    payment_label,
    refund_sentences,
    shown_of,
    stop_note,
    stopped_gift_sentences,
    subscription_label,
)
from payments.desk.acts.refunds import REFUSALS, SentenceField, explain, outcome, outcome_before, stop_sentences
from payments.desk.patron_status import promise
from payments.errors import AboveLimit, AlreadyClosed, NothingToRefund, OtherThanShown, StripeRefused
from payments.models import Case, Payment, RefundRequest, Subscription, SubscriptionChange
from payments.recurring import undoing


class WhichForm(forms.Form):
    """Choose one row of the case. Nothing is preselected."""

    which = forms.ChoiceField(widget=forms.RadioSelect)
    sentence = SentenceField()

    def __init__(self, data: Any, label: str, choices: Iterable[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["which"].label = label
        self.fields["which"].choices = list(choices)  # type: ignore[attr-defined]


class CloseDuplicate(Act):
    """The base of the acts: subclasses set the `kind` of case, and say what can be undone and how."""

    is_confirmed = True
    steps_up = True
    problems = (*REFUSALS, AlreadyClosed, OtherThanShown, AboveLimit)
    done_in_part = (StripeRefused,)
    kind: Case.Kind
    least = 2
    already: object

    def is_open(self, row: Case) -> bool:
        return self.is_about(row) and bool(self.candidates(row))

    def is_about(self, row: Case) -> bool:
        return row.kind == self.kind and row.settled_at is None

    def candidates(self, row: Case) -> list[Any]:
        """Return the rows of the case that can still be undone; none if there are fewer than `least`.

        Then the duplicate was undone elsewhere, and only the gift that was meant is left.
        """
        found = [each for each in self.rows(row) if self.is_left(each)]
        return found if len(found) >= self.least else []

    def rows(self, row: Case) -> Iterable[Any]:
        """Return the rows that the case is about."""
        raise NotImplementedError

    def is_left(self, each: Any) -> bool:
        """Return whether this row of the case can still be undone.

        A subscription: it is not stopping and not asked to stop. A payment: part of it can be refunded.
        """
        raise NotImplementedError

    def why_not(self, row: Case) -> object:
        """Return why an open case offers no act: a duplicate was undone already. Empty in any other situation."""
        was_undone = self.is_about(row) and not self.candidates(row) and any(map(self._is_undone, self.rows(row)))
        return self.already if was_undone else ""

    def _is_undone(self, each: Any) -> bool:
        return not self.is_left(each)

    def chosen(self, row: Case, answers: dict[str, Any]) -> Any:
        """Return the row of the case that was chosen. Raises NothingToRefund if it can no longer be undone."""
        found = next((found for found in self.candidates(row) if str(found.pk) == answers["which"]), None)
        if found is None:  # undone since the form was validated, a moment ago
            raise NothingToRefund(answers["which"])
        return found

    def message_before(self, row: Case, request_id: uuid.UUID) -> str:
        return outcome_before(RefundRequest.objects.filter(public_id=request_id).first(), settled=True)

    def perform(self, row: Case, answers: dict[str, Any], actor: User) -> str:
        try:
            return self.undo_and_close(row, answers, actor)
        except (AlreadyClosed, NothingToRefund, OtherThanShown):
            # The same button may have been pressed twice concurrently.
            if before := self.message_before(row, answers["request_id"]):
                return before
            raise

    def undo_and_close(self, row: Case, answers: dict[str, Any], actor: User) -> str:
        """Undo the chosen row and close the case; return the message for the user."""
        raise NotImplementedError

    def consequences(self, row: Case) -> list[object]:
        return [_("Nothing happens yet. The next page shows what will happen and the letter.")]

    def explain(self, problem: Exception) -> str:
        if isinstance(problem, AlreadyClosed):
            return _("Somebody settled this case a moment ago. Nothing was done. Go back to read their note.")
        if isinstance(problem, OtherThanShown):
            return _("Meanwhile its last payment came, failed or went back. Nothing was done: look at it again.")
        if isinstance(problem, StripeRefused):
            words = _("Stripe refused to send money back. The case is settled, and a new one says what is left to do.")
            return with_stripe_code(words, problem)
        return explain(problem)


class StopOneAndRefund(CloseDuplicate):
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
        choices = ((str(each.pk), subscription_label(each)) for each in self.candidates(row))
        return WhichForm(data, _("Which one stops?"), choices)

    def question(self, row: Case) -> str:
        return _("Which of the subscriptions stops?")

    def confirmation(self, row: Case, answers: dict[str, Any]) -> Confirmation:
        subscription = self.chosen(row, answers)
        payment = undoing.last_refundable(subscription)
        sentences = [
            *stop_sentences(subscription.supporter),
            *stopped_gift_sentences(subscription, payment),
            *closed_sentences(),
        ]
        question = _("Stop %(promise)s and refund its last payment?") % {"promise": promise(subscription)}
        return Confirmation(
            question,
            sentences,
            _("Do it now"),
            email_preview(payment, answers, is_stopping=True),
            subscription.supporter.email,
            shown_of(payment, undoing.with_the_bank(subscription)),
        )

    def message_before(self, row: Case, request_id: uuid.UUID) -> str:
        """Return the message of the earlier request, also if it was a stop without a refund."""
        has_stopped = SubscriptionChange.objects.filter(public_id=request_id, subscription__in=self.rows(row)).exists()
        return super().message_before(row, request_id) or (self._stopped_message() if has_stopped else "")

    def _stopped_message(self) -> str:
        return _("The case is settled, and Stripe was asked to stop it.")

    def undo_and_close(self, row: Case, answers: dict[str, Any], actor: User) -> str:
        """Stop, refund and close. Raises OtherThanShown if what goes back has changed since the confirmation page."""
        subscription = self.chosen(row, answers)
        payment, coming = undoing.last_refundable(subscription), undoing.with_the_bank(subscription)
        if answers["shown"] != shown_of(payment, coming):
            raise OtherThanShown(subscription.pk)
        if payment:
            refund_limits.check_alone(actor, payment)
        note = stop_note(subscription, payment, coming)
        request = undoing.close_duplicate(
            row, payment, subscription, actor, note, answers["sentence"], answers["request_id"]
        )
        return outcome(request, settled=True) if request else self._stopped_message()


class RefundOne(CloseDuplicate):
    slug = "refund-one"
    label = gettext_lazy("Refund one")
    needs: tuple[str, ...] = ("payments.change_payment",)
    kind = Case.Kind.DUPLICATE_PAYMENT
    already = gettext_lazy("One of them went back already, so none is sent back here. Settle the case with a note.")

    def rows(self, row: Case) -> Iterable[Payment]:
        found = Payment.objects.filter(pk__in=row.facts.get("payments", []))
        return found.select_related("supporter", "checkout").order_by("pk")

    def is_left(self, each: Payment) -> bool:
        return refund_requests.left(each) > 0

    def form(self, row: Case, data: Any) -> forms.Form:
        choices = ((str(each.pk), payment_label(each)) for each in self.candidates(row))
        return WhichForm(data, _("Which one goes back?"), choices)

    def question(self, row: Case) -> str:
        return _("Which of the gifts goes back?")

    def stopped_with(self, payment: Payment) -> Subscription | None:
        """Return the regular gift that is stopped as this payment goes back; None if none is."""
        return None

    def confirmation(self, row: Case, answers: dict[str, Any]) -> Confirmation:
        payment = self.chosen(row, answers)
        shown = {"amount": money.format(refund_requests.left(payment), payment.currency), "payment": payment}
        is_stopping = self.stopped_with(payment) is not None
        stopped = stop_sentences(payment.supporter) if is_stopping else []
        return Confirmation(
            _("Send %(amount)s of payment %(payment)s back?") % shown,
            [*refund_sentences(payment), *stopped, *closed_sentences(of_two=self.least == 2)],
            _("Send %(amount)s back now") % shown,
            email_preview(payment, answers, is_stopping=is_stopping),
            payment.supporter.email,
        )

    def undo_and_close(self, row: Case, answers: dict[str, Any], actor: User) -> str:
        payment = self.chosen(row, answers)
        refund_limits.check_alone(actor, payment)
        note = _("Asked Stripe to refund payment %(payment)s.") % {"payment": payment}
        gift = self.stopped_with(payment)
        request = undoing.close_duplicate(row, payment, gift, actor, note, answers["sentence"], answers["request_id"])
        return outcome(request, settled=True) if request else ""


class RefundUnmeant(RefundOne):
    """Refund the last payment of a supporter who only meant to give once. Their subscription is stopped already."""

    slug = "refund-unmeant"
    label = gettext_lazy("Refund the last payment")
    kind = Case.Kind.MEANT_ONCE
    least = 1
    already = gettext_lazy("The last payment went back already. Settle the case with a note.")


class RefundWarned(RefundOne):
    """Send back a payment that a card's issuer suspects of fraud, and stop the regular gift that it belongs to."""

    slug = "refund-warned"
    label = gettext_lazy("Send the money back")
    needs = ("payments.change_payment", "payments.change_subscription")
    kind = Case.Kind.FRAUD_WARNING
    least = 1
    already = gettext_lazy("The money went back already. Settle the case with a note.")

    def form(self, row: Case, data: Any) -> forms.Form:
        form = super().form(row, data)
        if choices := form.fields["which"].choices:  # type: ignore[attr-defined]
            form.fields["which"].initial = choices[0][0]
        return form

    def question(self, row: Case) -> str:
        return _("The card's issuer suspects fraud. Does the money go back?")

    def stopped_with(self, payment: Payment) -> Subscription | None:
        gift = payment.subscription
        return gift if gift and not gift.is_ending_or_asked_to else None

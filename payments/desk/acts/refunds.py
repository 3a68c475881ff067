"""The act of sending money back: its form, the email as it will be sent, and the messages afterwards.

duplicates.py and duplicate_words.py use the same words. The rule is payments/recurring/undoing.py.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.mail.rendering import Letter
from members.models import Supporter
from payments import money
from payments.books import refund_limits, refund_requests
from payments.desk import columns
from payments.desk.acts.act import Act, Confirmation, with_stripe_code
from payments.desk.acts.no_letter import why_no_letter
from payments.desk.mail_as_sent import without_keys
from payments.errors import AboveLimit, NothingToRefund, OnlyStopped, RefundOutOfRange, RefundUnderWay, StripeRefused
from payments.giving.forms import amount_sentence
from payments.letters import refunds as refund_letters
from payments.models import LedgerEntry, Payment, RefundRequest
from payments.recurring import undoing

REFUSALS = (NothingToRefund, RefundOutOfRange, RefundUnderWay, StripeRefused)


class SentenceField(forms.CharField):
    """A sentence of the newsroom for the email. Line breaks become spaces, because they would split the sentence."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("A sentence from us in the letter"),
            max_length=300,
            required=False,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text=gettext_lazy("In the supporter's language. You see the whole letter before anything happens."),
        )

    def to_python(self, value: Any) -> str:
        return " ".join(str(value or "").split())


class SendBackForm(forms.Form):
    amount = forms.CharField(
        label=gettext_lazy("Amount"), max_length=40, widget=forms.TextInput({"inputmode": "decimal"})
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason, for Stripe and for us"),
        choices=RefundRequest.Reason.choices,
        help_text=gettext_lazy("With “not their card” Stripe also blocks this card and address from now on."),
    )
    sentence = SentenceField()
    tells_supporter = forms.BooleanField(
        label=gettext_lazy("Tell the supporter by letter"), required=False, initial=True
    )
    also_stops = forms.BooleanField(label=gettext_lazy("Also stop the regular gift"), required=False)

    def __init__(self, data: Any, payment: Payment, *, may_stop: bool, most: int | None = None) -> None:
        self.payment, self.left = payment, refund_requests.left(payment)
        self.most = self.left if most is None else most
        continues = payment.subscription is not None and not payment.subscription.is_ending_or_asked_to
        self.may_not_stop = continues and not may_stop
        super().__init__(data, initial={"amount": money.plain(self.left, payment.currency)})
        self.fields["amount"].help_text = _("%(left)s of this payment is still with us.") % {
            "left": money.format(self.left, payment.currency)
        }
        if self.may_not_stop or not continues:
            del self.fields["also_stops"]

    def clean(self) -> dict[str, Any]:
        if self.may_not_stop and self.data.get("also_stops"):
            raise ValidationError(_("To stop a regular gift you need the right to change subscriptions."))
        return super().clean() or self.cleaned_data

    def clean_amount(self) -> int:
        """Return the amount in minor units. Raises ValidationError if it is not between 1 and what is left."""
        try:
            amount = money.parse(self.cleaned_data["amount"], self.payment.currency)
        except money.AmountError as problem:
            raise ValidationError(amount_sentence(problem, self.payment.currency)) from problem
        if not 1 <= amount <= self.left:
            raise ValidationError(out_of_range(self.left, self.payment.currency))
        if amount > self.most:
            words = _("Alone you may send back up to %(most)s of it. For more, ask a colleague in Finance.")
            raise ValidationError(words % {"most": money.format(self.most, self.payment.currency)})
        return amount


class SendBack(Act):
    slug = "send-back"
    label = gettext_lazy("Send money back")
    is_confirmed = True
    steps_up = True
    problems = REFUSALS
    done_in_part = (OnlyStopped,)

    def is_open(self, row: Payment) -> bool:
        return refund_requests.left(row) > 0

    def form_for(self, row: Payment, data: Any, actor: User) -> forms.Form:
        may_stop = actor.has_perm("payments.change_subscription")
        return SendBackForm(data, row, may_stop=may_stop, most=refund_limits.most_for(actor, row))

    def question(self, row: Payment) -> str:
        return _("How much of %(amount)s goes back?") % {"amount": columns.plain_amount(row.amount, row.currency)}

    def consequences(self, row: Payment) -> list[object]:
        return [_("Nothing happens yet. The next page shows what will happen and the letter.")]

    def confirmation(self, row: Payment, answers: dict[str, Any]) -> Confirmation:
        amount, stops = answers["amount"], bool(answers.get("also_stops"))
        is_emailed = answers["tells_supporter"] and not why_no_letter(row.supporter.email)
        about_gift = stop_sentences(row.supporter) if stops else continuing_sentences(row, is_emailed=is_emailed)
        sentences = [*money_sentences(row, amount), *about_gift]
        letter = None
        if answers["tells_supporter"]:
            letter = preview(row, amount, answers["sentence"], is_stopping=stops)
        else:
            sentences.append(_("The supporter is not told by us."))
        shown = {"amount": money.format(amount, row.currency)}
        button = _("Send %(amount)s back now") % shown
        if refund_limits.needs_colleague(row, amount):
            sentences = [_("From this sum on a second colleague confirms. Until then nothing happens."), *sentences]
            button = _("Ask a colleague to confirm it")
        return Confirmation(
            _("Send %(amount)s back?") % shown,
            sentences,
            button,
            letter,
            row.supporter.email,
        )

    def message_before(self, row: Payment, request_id: uuid.UUID) -> str:
        if row.held_refunds.filter(public_id=request_id).exists():
            return held_words()
        return outcome_before(row.refund_requests.filter(public_id=request_id).first())

    def perform(self, row: Payment, answers: dict[str, Any], actor: User) -> str:
        if refund_limits.needs_colleague(row, answers["amount"]):
            refund_limits.hold(
                row,
                answers["amount"],
                actor,
                answers["request_id"],
                reason=answers["reason"],
                sentence=answers["sentence"],
                tells_supporter=answers["tells_supporter"],
                also_stops=bool(answers.get("also_stops")),
            )
            return held_words()
        request = undoing.send_back(
            row,
            answers["amount"],
            answers["reason"],
            actor,
            answers["sentence"],
            public_id=answers["request_id"],
            tells_supporter=answers["tells_supporter"],
            also_stops=bool(answers.get("also_stops")),
        )
        return outcome(request)

    def explain(self, problem: Exception) -> str:
        return explain(problem)


def held_words() -> str:
    return _("It is written down. A colleague confirms it under “Refunds that wait”; then Stripe is asked.")


def preview(payment: Payment, amount: int, sentence: str, *, is_stopping: bool) -> Letter:
    """Return the email about a refund as staff may see it: its exact words, without the supporter's own links.

    `amount` is in minor units of the payment's currency.
    """
    letter = refund_letters.refund_preview(payment, amount, sentence, is_stopping=is_stopping)
    return replace(letter, text=without_keys(letter.text))


def money_sentences(payment: Payment, amount: int) -> list[object]:
    """Return what refunding this amount (minor units) does and the fee that Stripe keeps, one sentence each."""
    shown = {"amount": money.format(amount, payment.currency), "method": payment.method}
    where = _("Stripe sends %(amount)s back the way it came, to %(method)s.") % shown
    if not payment.method:
        where = _("Stripe sends %(amount)s back the way it came.") % shown
    sentences: list[object] = [where, _("It takes 5 to 10 days, and it cannot be taken back from here.")]
    settled = LedgerEntry.objects.filter(settles__payment=payment, settles__kind=LedgerEntry.Kind.CHARGE).first()
    if settled and settled.fee:
        fee = {"fee": money.format(settled.fee, settled.settled_currency)}
        sentences.append(_("Stripe keeps its fee of %(fee)s for this payment.") % fee)
    return sentences


def stop_sentences(supporter: Supporter) -> list[object]:
    """Return what stopping the gift does. An email of its own says so, if the address gets emails."""
    if why_no_letter(supporter.email):
        return [_("The regular gift is stopped: Stripe takes no further payment.")]
    return [_("The regular gift is stopped: Stripe takes no further payment. A second letter says so.")]


def continuing_sentences(payment: Payment, *, is_emailed: bool) -> list[object]:
    """Return that the recurring gift continues, or is not stopped; empty without one, or if it ends anyway."""
    subscription = payment.subscription
    if subscription is None or subscription.is_ending_or_asked_to:
        return []
    if refund_letters.continues(subscription):
        with_email = _("The regular gift goes on. The letter says so, and how to stop it.")
        without_email = _("The regular gift goes on.")
    else:
        with_email = _("The regular gift is not stopped. The letter says how to stop it.")
        without_email = _("The regular gift is not stopped.")
    return [with_email if is_emailed else without_email]


def outcome(request: RefundRequest, *, settled: bool = False) -> str:
    """Return the message after a refund request. With `settled`, it says that the case was closed too."""
    if request.state == RefundRequest.State.REQUESTED:
        return _("Stripe does not answer now. Nothing is lost: it is written down and asked again every minute.")
    if settled:
        return _("The case is settled, and Stripe was asked. The payment's page shows the refund when Stripe confirms.")
    return _("Stripe was asked to send it back. The page shows the refund as soon as Stripe confirms.")


def outcome_before(request: RefundRequest | None, *, settled: bool = False) -> str:
    """Return the message of an earlier refund request; empty for None.

    Raises StripeRefused or OnlyStopped if Stripe refused it.
    """
    if request and request.state == RefundRequest.State.FAILED:
        raise undoing.refusal(request)
    return outcome(request, settled=settled) if request else ""


def explain(problem: Exception) -> str:
    if isinstance(problem, RefundOutOfRange):
        return _("Meanwhile less of this payment is left with us. Look at its page, then choose an amount again.")
    if isinstance(problem, NothingToRefund):
        return _("Nothing of this payment is left to send back. Its page shows where it went.")
    if isinstance(problem, RefundUnderWay):
        return _("An earlier refund of this payment still waits for Stripe. It is asked every minute: look again soon.")
    if isinstance(problem, AboveLimit):
        return _("This sum is above what you may send back alone. Do it on the payment's page, or ask in Finance.")
    if isinstance(problem, OnlyStopped):
        words = _("Stripe refused, and no money went back; the regular gift stops.")
    else:
        words = _("Stripe refused, and no money went back. Look at the payment at Stripe.")
    return with_stripe_code(words, problem)


def out_of_range(left: int, currency: str) -> str:
    return _("Write an amount above zero and up to %(left)s.") % {"left": money.format(left, currency)}

"""The acts on a refund that waits: a second colleague confirms it, or somebody declines it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.books import refund_limits
from payments.desk import columns
from payments.desk.acts.act import Act
from payments.desk.acts.refunds import REFUSALS, explain, money_sentences, outcome, stop_sentences
from payments.errors import AlreadyClosed, OnlyStopped, OwnRefund
from payments.models import HeldRefund
from payments.recurring import undoing


class ConfirmRefund(Act):
    slug = "confirm"
    label = gettext_lazy("Confirm it")
    is_grave = True
    steps_up = True
    needs = ("payments.refund_without_limit",)
    problems = (*REFUSALS, AlreadyClosed, OwnRefund)
    done_in_part = (OnlyStopped,)

    def is_open(self, row: HeldRefund) -> bool:
        return row.state == HeldRefund.State.WAITING or refund_limits.is_unfinished(row)

    def question(self, row: HeldRefund) -> str:
        shown = columns.plain_amount(row.amount, row.payment.currency)
        return _("Send %(amount)s back, as %(name)s asks?") % {"amount": shown, "name": row.asked_by.get_username()}

    def consequences(self, row: HeldRefund) -> list[object]:
        stops = stop_sentences(row.payment.supporter) if row.also_stops else []
        told = [] if row.tells_supporter else [_("The supporter is not told by us.")]
        return [*money_sentences(row.payment, row.amount), *stops, *told]

    def perform(self, row: HeldRefund, answers: dict[str, Any], actor: User) -> str:
        return outcome(undoing.confirm_held(row, actor))

    def explain(self, problem: Exception) -> str:
        if isinstance(problem, OwnRefund):
            return _("You asked for it yourself: another colleague confirms it.")
        if isinstance(problem, AlreadyClosed):
            return _("A colleague decided it a moment ago. Go back to see how.")
        return explain(problem)


class DeclineRefund(Act):
    slug = "decline"
    label = gettext_lazy("Decline it")
    problems = (AlreadyClosed,)

    def is_open(self, row: HeldRefund) -> bool:
        return row.state == HeldRefund.State.WAITING

    def question(self, row: HeldRefund) -> str:
        return _("Decline this refund?")

    def consequences(self, row: HeldRefund) -> list[object]:
        return [_("No money goes back, and nobody is told. It can be asked for again.")]

    def perform(self, row: HeldRefund, answers: dict[str, Any], actor: User) -> str:
        refund_limits.decline(row, actor)
        return _("It is declined.")

    def explain(self, problem: Exception) -> str:
        return _("A colleague decided it a moment ago. Go back to see how.")

"""The samples of emails about payments that fail, and about cards and mandates that end. Part of catalogue.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from members import clock
from members.models import Message
from payments.accounts import account as accounts
from payments.desk.samples.rows import Giver, failed, renewal, subscription
from payments.desk.samples.sample import Sample, Variant, always
from payments.letters import endings
from payments.letters import failed as failed_letters
from payments.letters import methods as method_letters


def _failed(who: Giver, code: str, step: int, next_try: timedelta | None = timedelta(days=3)) -> Message:
    """Build the email of this step (1 to 4) about a renewal that failed with this code of the bank."""
    since = clock.now() - timedelta(days=failed_letters.STEPS[step])
    return failed_letters.failed(
        failed(subscription(who, status="past_due"), code, next_try, failing_since=since), step
    )


def _failures(when: Any, step: int) -> Sample:
    return Sample(
        when,
        {
            "not_enough": Variant(_("Not enough money"), lambda who: _failed(who, "insufficient_funds", step)),
            "ran_out": Variant(_("The card has run out"), lambda who: _failed(who, "expired_card", step, None)),
            "refused": Variant(_("The bank does not say why"), lambda who: _failed(who, "do_not_honor", step)),
        },
    )


def _to_confirm(who: Giver) -> Message:
    payment = failed(subscription(who, status="past_due"), "authentication_required", failing_since=clock.now())
    return failed_letters.action_required(payment, 1)


def _ended_unpaid(who: Giver) -> Message | None:
    over = subscription(who, renews_on=clock.today(), status="canceled", ended_at=clock.now())
    for _number in range(2):
        renewal(over)
    return endings.ended_unpaid(over)


FAILING: dict[str, Sample] = {
    "payment_failed_1": _failures(_("At once, when a renewal did not go through."), 1),
    "payment_failed_2": _failures(_("Three days later, unless it is mended."), 2),
    "payment_failed_3": _failures(_("A week after the first try."), 3),
    "payment_failed_4": _failures(_("Two weeks after the first try."), 4),
    "action_required": always(
        _("At once, when a bank wants a payment confirmed, and after two and five days."), _to_confirm
    ),
    "mandate_cancelled": always(
        _("At once, when a bank ended the debits."), lambda who: method_letters.mandate_cancelled(subscription(who))
    ),
    "card_expiring": always(
        _("On the first day of the month before a card’s last one, and two weeks later."),
        lambda who: method_letters.card_expiring(
            accounts.of(subscription(who, method_expires_on=clock.today() + timedelta(days=50))), 1
        ),
    ),
    "ended_unpaid": always(_("When a gift ended because its payments failed."), _ended_unpaid),
}

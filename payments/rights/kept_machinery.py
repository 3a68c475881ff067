"""The privacy map of the machinery: Stripe's events, comparisons, payouts, alerts, and removals by age."""

from __future__ import annotations

from django.db.models import Q

from members.rights.lines import Basis, Erase, Kept, Line, Period
from payments.models import (
    Alert,
    Heartbeat,
    KeyFault,
    Payout,
    PayoutLine,
    PortalConfiguration,
    Reconciliation,
    RetentionRun,
    StripeEvent,
)
from payments.rights import events

KEPT = (
    Kept(
        StripeEvent,
        lambda person: Q(pk__in=events.numbers_of(person)),
        {
            "id": Line("to process it once", Basis.CONTRACT, Period.BOOKS, Erase.SEALED),
            "payload": Line("to process it, also again", Basis.CONTRACT, Period.EVENT, Erase.REDUCED),
            "error": Line("to know why it waits", Basis.INTEREST, Period.EVENT, Erase.EMPTIED),
        },
        nothing=("type", "account", "api_version"),
    ),
    Kept(
        PayoutLine,
        lambda person: Q(ledger_entry__payment__supporter=person.number),
        {
            "stripe_balance_transaction_id": Line("to explain payouts", Basis.LAW, Period.BOOKS, Erase.SEALED),
            "source": Line("to explain payouts", Basis.LAW, Period.BOOKS, Erase.SEALED),
        },
        nothing=("type", "currency"),
    ),
    Kept(Payout, nothing=("stripe_payout_id", "currency", "failure_code")),
    Kept(PortalConfiguration, nothing=("public_id", "stripe_params", "error", "stripe_configuration_id")),
    Kept(Reconciliation, nothing=("error",)),
    Kept(RetentionRun, nothing=("counts",)),
    Kept(Heartbeat, nothing=("name",)),
    Kept(Alert, nothing=("name", "facts")),
    Kept(KeyFault, nothing=("work", "reason")),
)

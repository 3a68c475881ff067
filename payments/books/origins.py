"""Where money on the Stripe account comes from: from a checkout or subscription of this installation, from other
software on the same account, or from Stripe itself.

Reads our ledger first and Stripe where the ledger has nothing, so that a gift we have not recorded yet counts as ours.
Called outside any transaction, by the handler of payouts and by the comparison with Stripe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from django.db.models import Q

from payments.books import settlements
from payments.giving import checkout as checkouts
from payments.models import LedgerEntry, Payment, PayoutLine, Subscription
from payments.stripe_api import objects
from payments.stripe_api.account_values import BalanceTransaction
from payments.stripe_api.reads import Reads

Whose = PayoutLine.Whose


def of_each(lines: Sequence[BalanceTransaction], reads: Reads) -> list[tuple[BalanceTransaction, Whose]]:
    """Return each balance line with its owner: this installation (OURS), other software (OTHERS) or Stripe.

    The lines must be listed with the object that moved the balance (`line.of`). May raise StripeUnavailable.
    """
    sources = [settlements.source_of(line) for line in lines]
    in_ledger = set(LedgerEntry.objects.filter(source__in=sources).values_list("source", flat=True))
    return [
        (line, Whose.OURS if source in in_ledger else _owner_of(line, reads))
        for line, source in zip(lines, sources, strict=True)
    ]


def _owner_of(line: BalanceTransaction, reads: Reads) -> Whose:
    if line.of is None:
        return Whose.STRIPE
    if isinstance(line.of, objects.Charge):
        return _owner_of_charge(line.of, reads)
    return Whose.OURS if line.of.charge and is_ours(reads.charge(line.of.charge), reads) else Whose.OTHERS


def _owner_of_charge(charge: objects.Charge, reads: Reads) -> Whose:
    """Return STRIPE for a bank debit of ours that is with the bank or was refused.

    Such a debit has a line in Stripe's balance but has brought no money (docs/decisions/0026).
    """
    if not is_ours(charge, reads):
        return Whose.OTHERS
    return Whose.OURS if charge.status == "succeeded" else Whose.STRIPE


def is_ours(charge: objects.Charge, reads: Reads) -> bool:
    """Return whether a checkout or subscription of ours led to this charge: by our payments, else by Stripe."""
    return _is_recorded(charge) or led_here(charge, partial(_is_patron, reads=reads), reads)


def led_here(charge: objects.Charge, is_patron: Callable[[str], bool], reads: Reads) -> bool:
    """Return whether Stripe's objects lead from a charge to a checkout or subscription of ours.

    `is_patron` says whether a customer at Stripe has a subscription of ours: only then is the charge's invoice read.
    """
    if checkouts.is_name(charge.checkout):
        return True
    may_be = bool(charge.payment_intent) and bool(charge.customer) and is_patron(charge.customer)
    return may_be and _is_instalment(charge, reads)


def _is_recorded(charge: objects.Charge) -> bool:
    named = Q(stripe_charge_id=charge.id)
    if charge.payment_intent:
        named |= Q(stripe_payment_intent_id=charge.payment_intent)
    return Payment.objects.filter(named).exists()


def _is_patron(customer: str, reads: Reads) -> bool:
    if Subscription.objects.filter(stripe_customer_id=customer).exists():
        return True
    return any(checkouts.is_name(agreed.checkout) for agreed in reads.subscriptions_of(customer))


def _is_instalment(charge: objects.Charge, reads: Reads) -> bool:
    invoice_id = reads.invoice_of(charge.payment_intent)
    if not invoice_id:
        return False
    invoice = reads.invoice(invoice_id)
    known = Subscription.objects.filter(stripe_subscription_id=invoice.subscription)
    return checkouts.is_name(invoice.checkout) or known.exists()

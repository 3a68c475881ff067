"""The payment method of a subscription: which subscriptions a card or account pays for, and problems with it.

Called by the webhook handlers and by subscriptions.py, inside the transaction of a group of events. Retrying a payment
with a new method is in overdue.py.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from payments import cases
from payments.letters import failed as failed_letters
from payments.letters import methods as method_letters
from payments.models import Case, Payment, Subscription
from payments.stripe_api import account_values

Problem = Subscription.MethodProblem


def paid_from(method_id: str, customer_id: str) -> list[str]:
    """Return Stripe's ids of the live subscriptions that this method, or any method of this customer, may pay for.

    Either id may be "", which no subscription has.
    """
    named = {"stripe_payment_method_id": method_id, "stripe_customer_id": customer_id}
    paid = reduce(or_, (Q(**{field: id}) for field, id in named.items() if id), Q(pk__in=[]))
    found = Subscription.objects.alive().filter(paid).order_by("pk")
    return list(found.values_list("stripe_subscription_id", flat=True))


def mirror_problem(row: Subscription, *, is_detached: bool) -> None:
    """Set or clear the problem that a subscription has no method left, without saving the row.

    That is read with the subscription, so the order of Stripe's events does not matter. Other problems stay.
    """
    if is_detached:
        row.method_problem = Problem.DETACHED
    elif row.method_problem == Problem.DETACHED:
        row.method_problem = ""


def check(row: Subscription) -> None:
    """Open a case, once per method, if a live subscription has no method left to be paid from. Idempotent."""
    if row.is_alive and row.method_problem == Problem.DETACHED:
        _open_case(row)


def follow_mandate(mandate: account_values.Mandate) -> None:
    """Store whether the bank permits debits from an account, for the live subscriptions that it pays for.

    An inactive mandate is a problem: the supporter is emailed and staff get a case. Any other state clears it.
    Idempotent.
    """
    paid = Subscription.objects.alive().filter(stripe_payment_method_id=mandate.method_id)
    if mandate.status == "inactive":
        _record_problem(paid, Problem.MANDATE_INACTIVE)
    else:
        paid.filter(method_problem=Problem.MANDATE_INACTIVE).update(method_problem="")


def _record_problem(subscriptions: QuerySet[Subscription], problem: Problem) -> None:
    """Store a new problem, open a case, and email each supporter whose gift continues.

    That email replaces the ones about failed payments that were not sent yet.
    """
    for subscription in subscriptions.exclude(method_problem=problem).select_related("supporter", "checkout"):
        subscription.method_problem = problem
        subscription.save(update_fields=["method_problem"])
        _open_case(subscription)
        if not subscription.is_ending_or_asked_to:
            method_letters.mandate_cancelled(subscription)
            failed_letters.take_back(subscription.payments.exclude(status=Payment.Status.SUCCEEDED))


def _open_case(row: Subscription) -> None:
    key = f"subscription:{row.pk}:{row.stripe_payment_method_id}:{row.method_problem}"
    facts = {"subscription": row.pk, "problem": str(row.method_problem)}
    cases.open_case(Case.Kind.METHOD_PROBLEM, key, row.supporter, facts)

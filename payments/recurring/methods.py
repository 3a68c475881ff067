"""The card or account a subscription is paid from: which subscriptions it pays, and when it is gone."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from payments import cases
from payments.letters import failed as failed_letters
from payments.letters import methods as method_letters
from payments.models import Case, Payment, Subscription
from payments.stripe_api import objects

Problem = Subscription.MethodProblem


def paid_from(method_id: str, customer_id: str) -> list[str]:
    """Stripe's ids of the living subscriptions that this method, or any method of this customer, may pay for."""
    mine = Q(stripe_payment_method_id=method_id) if method_id else Q()
    if customer_id:
        mine = mine | Q(stripe_customer_id=customer_id) if method_id else Q(stripe_customer_id=customer_id)
    found = Subscription.objects.alive().filter(mine).order_by("pk")
    return list(found.values_list("stripe_subscription_id", flat=True))


def mirror_problem(row: Subscription, *, is_gone: bool) -> None:
    """A method that is gone is read with the subscription, so the order of what we hear does not matter. Not saved."""
    if is_gone:
        row.method_problem = Problem.DETACHED
    elif row.method_problem == Problem.DETACHED:
        row.method_problem = ""


def check(row: Subscription) -> None:
    """Show staff a living subscription that has nothing to be paid from. Once a method; safe to call again."""
    if row.is_alive and row.method_problem == Problem.DETACHED:
        _open_case(row)


def follow_mandate(mandate: objects.Mandate) -> None:
    """The bank's permission to debit: inactive, the subscription cannot be paid; active again, the problem is gone."""
    paid = Subscription.objects.alive().filter(stripe_payment_method_id=mandate.method_id)
    if mandate.status == "inactive":
        _note(paid, Problem.MANDATE_INACTIVE)
    else:
        paid.filter(method_problem=Problem.MANDATE_INACTIVE).update(method_problem="")


def _note(subscriptions: QuerySet[Subscription], problem: Problem) -> None:
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

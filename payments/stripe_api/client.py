"""The only module that calls Stripe, with lists.py: reads, and writes with an idempotency key from a committed row.

Reads return our dataclasses (values.py). Every function raises StripeUnavailable when Stripe does not answer,
StripeRefused when it says no, StripeMissing for an unknown id. Never call one inside a database transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar

import stripe
from django.conf import settings
from stripe import params as stripe_params

from payments.stripe_api import account, account_values, budget, objects, refusals
from payments.stripe_api.params import check, in_order
from payments.stripe_api.refusals import guarded
from payments.stripe_api.sdk.connection import connection

T = TypeVar("T")

API_VERSION: str = stripe.api_version
_INTENT = ["latest_charge.balance_transaction"]
_REFUND = ["failure_balance_transaction"]
_SUBSCRIPTION = ["default_payment_method", "customer.invoice_settings.default_payment_method"]
# Stripe expands at most four levels: with an invoice, the customer's default method stays an id.
_INVOICE = [
    "payments.data.payment.payment_intent",
    *(f"parent.subscription_details.subscription.{name}" for name in ("default_payment_method", "customer")),
]
_SESSION = [*(f"payment_intent.{name}" for name in _INTENT), *(f"subscription.{name}" for name in _SUBSCRIPTION)]


def read_session(session_id: str) -> objects.Session:
    return _read(objects.session, lambda: connection().v1.checkout.sessions.retrieve(session_id, {"expand": _SESSION}))


def read_subscription(subscription_id: str) -> objects.Subscription:
    sdk = connection().v1.subscriptions
    return _read(objects.subscription, lambda: sdk.retrieve(subscription_id, {"expand": _SUBSCRIPTION}))


def read_customer(customer_id: str) -> account_values.Customer:
    return _read(account.customer, lambda: connection().v1.customers.retrieve(customer_id))


def customer_of_method(method_id: str) -> str:
    """Return the id of the customer to whom a payment method is attached, or "" if it was detached."""
    return _read(objects.customer_of, lambda: connection().v1.payment_methods.retrieve(method_id))


def read_invoice(invoice_id: str) -> objects.Invoice:
    return _read(objects.invoice, lambda: connection().v1.invoices.retrieve(invoice_id, {"expand": _INVOICE}))


def preview(subscription_id: str) -> tuple[int, str]:
    """Return what the next invoice of a subscription takes as things are now, in minor units, and its currency."""
    sdk = connection().v1.invoices
    return _read(objects.due_of, lambda: sdk.create_preview({"subscription": subscription_id}))


def read_payment_intent(intent_id: str) -> objects.PaymentIntent:
    sdk = connection().v1.payment_intents
    return _read(objects.payment_intent, lambda: sdk.retrieve(intent_id, {"expand": _INTENT}))


def read_charge(charge_id: str) -> objects.Charge:
    return _read(objects.charge, lambda: connection().v1.charges.retrieve(charge_id))


def read_refund(refund_id: str) -> objects.Refund:
    return _read(objects.refund, lambda: connection().v1.refunds.retrieve(refund_id, {"expand": _REFUND}))


def refunds_of(payment: Mapping[str, str]) -> list[objects.Refund]:
    """Return all refunds of a payment, given as `{"payment_intent": id}` or `{"charge": id}`."""
    wanted: Any = {**payment, "limit": 100}
    return list(map(objects.refund, rows(lambda: connection().v1.refunds.list(wanted))))


def read_dispute(dispute_id: str) -> objects.Dispute:
    return _read(objects.dispute, lambda: connection().v1.disputes.retrieve(dispute_id))


def read_mandate(mandate_id: str) -> account_values.Mandate:
    return _read(account.mandate, lambda: connection().v1.mandates.retrieve(mandate_id))


def read_payout(payout_id: str) -> account_values.Payout:
    return _read(account.payout, lambda: connection().v1.payouts.retrieve(payout_id))


def invoice_of(intent_id: str) -> str:
    """Return the id of the invoice that a PaymentIntent pays, or "" if none: the intent has no such field."""
    wanted: Any = {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 1}
    page = guarded(lambda: connection().v1.invoice_payments.list(wanted)).to_dict()
    return next((str(row["invoice"]) for row in page["data"]), "")


def balance_transactions_since(since: datetime) -> Iterator[account_values.BalanceTransaction]:
    """Iterate over the balance transactions created since then, newest first, a hundred per call."""
    wanted: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100}
    return map(account.balance_transaction, rows(lambda: connection().v1.balance_transactions.list(wanted)))


def read_balance_transaction(transaction_id: str) -> account_values.BalanceTransaction:
    sdk = connection().v1.balance_transactions
    return _read(account.balance_transaction, lambda: sdk.retrieve(transaction_id, {"expand": ["source"]}))


def list_events(types: Sequence[str], since: datetime) -> Iterator[list[dict[str, Any]]]:
    """Iterate over pages of events of at most 20 types, delivered or not, as Stripe rendered them when it made them.

    Stripe keeps them for 30 days. Event objects are raw dictionaries.
    """
    wanted: Any = {"types": list(types), "created": {"gte": int(since.timestamp())}, "limit": 100}
    return _pages(lambda: connection().v1.events.list(wanted))


def missing_means_missing() -> AbstractContextManager[None]:
    """Return a context that turns StripeMissing into KeyRefused if our key is the wrong one. Uses the database."""
    return refusals.missing_means_missing(account_id)


def check_key() -> None:
    """Raise KeyRefused if our key is of another mode or account than our rows. Uses the database."""
    refusals.check_key(account_id)


def account_id() -> str:
    """Return the id of the account that our key belongs to. A restricted key may not be allowed to: StripeRefused."""
    found: str = guarded(lambda: connection().v1.accounts.retrieve_current()).to_dict()["id"]
    return found


def stripe_time() -> datetime:
    """Return the time of Stripe's clock, in whole seconds, from the answer to a small read that any key may make."""
    answer = guarded(lambda: connection().v1.balance_transactions.list({"limit": 1}))
    return parsedate_to_datetime(answer.last_response.headers["Date"])


def method_configurations() -> list[account_values.MethodConfiguration]:
    """Return the account's sets of ways to pay, those of Connect left out; the default one is used unless named."""
    page = guarded(lambda: connection().v1.payment_method_configurations.list({"limit": 100})).to_dict()
    return [account.method_configuration(raw) for raw in page["data"] if not raw.get("application")]


def webhook_endpoints() -> list[account_values.WebhookEndpoint]:
    """Return all webhook endpoints of the account in the key's mode. One page holds them: Stripe allows 16."""
    page = guarded(lambda: connection().v1.webhook_endpoints.list({"limit": 100})).to_dict()
    return [account.webhook_endpoint(raw) for raw in page["data"]]


def create_webhook_endpoint(params: Mapping[str, Any], *, key: str) -> tuple[str, str]:
    """Create a webhook endpoint; return its id and signing secret. Stripe shows the secret in this answer only."""
    sdk = connection().v1.webhook_endpoints
    made = _write(sdk.create, (), params, stripe_params.WebhookEndpointCreateParams, key)
    return made["id"], made["secret"]


def update_webhook_endpoint(endpoint_id: str, params: Mapping[str, Any], *, key: str) -> None:
    sdk = connection().v1.webhook_endpoints
    _write(sdk.update, (endpoint_id,), params, stripe_params.WebhookEndpointUpdateParams, key)


def create_checkout_session(params: Mapping[str, Any], *, key: str) -> tuple[str, str]:
    """Create a Checkout Session; return its id and the URL of Stripe's page. The same key returns the same session."""
    sdk = connection().v1.checkout.sessions
    made = _write(sdk.create, (), params, stripe_params.checkout.SessionCreateParams, key)
    return made["id"], made["url"]


def expire_checkout_session(session_id: str, *, key: str) -> None:
    """Close an open session: nothing can be paid in it any more. Stripe refuses one that is complete or expired."""
    sdk = connection().v1.checkout.sessions
    _write(sdk.expire, (session_id,), {}, stripe_params.checkout.SessionExpireParams, key)


def update_subscription(subscription_id: str, params: Mapping[str, Any], *, key: str) -> None:
    sdk = connection().v1.subscriptions
    _write(sdk.update, (subscription_id,), params, stripe_params.SubscriptionUpdateParams, key)


def cancel_subscription(subscription_id: str, params: Mapping[str, Any], *, key: str) -> None:
    sdk = connection().v1.subscriptions
    _write(sdk.cancel, (subscription_id,), params, stripe_params.SubscriptionCancelParams, key)


def delete_customer(customer_id: str, params: Mapping[str, Any], *, key: str) -> None:
    """Delete a customer for good. Stripe ends their subscriptions at once. Raises StripeMissing for a deleted one."""
    _write(connection().v1.customers.delete, (customer_id,), params, stripe_params.CustomerDeleteParams, key)


def pay_invoice(invoice_id: str, params: Mapping[str, Any], *, key: str) -> objects.Invoice:
    """Try to collect an open invoice now; return it. Also raises Declined: the bank said no or wants confirmation."""
    sdk = connection().v1.invoices
    return objects.invoice(_write(sdk.pay, (invoice_id,), params, stripe_params.InvoicePayParams, key))


def finalize_invoice(invoice_id: str, params: Mapping[str, Any], *, key: str) -> None:
    """Open a draft invoice; with `auto_advance` False, Stripe does not collect it."""
    sdk = connection().v1.invoices
    _write(sdk.finalize_invoice, (invoice_id,), params, stripe_params.InvoiceFinalizeInvoiceParams, key)


def void_invoice(invoice_id: str, params: Mapping[str, Any], *, key: str) -> None:
    """Void an open invoice: nobody can pay it any more. Stripe refuses a draft, a paid one, and one with the bank."""
    sdk = connection().v1.invoices
    _write(sdk.void_invoice, (invoice_id,), params, stripe_params.InvoiceVoidInvoiceParams, key)


def update_invoice(invoice_id: str, params: Mapping[str, Any], *, key: str) -> None:
    sdk = connection().v1.invoices
    _write(sdk.update, (invoice_id,), params, stripe_params.InvoiceUpdateParams, key)


def create_portal_configuration(params: Mapping[str, Any], *, key: str) -> str:
    """Create a configuration of Stripe's customer portal; return its id."""
    sdk = connection().v1.billing_portal.configurations
    made: str = _write(sdk.create, (), params, stripe_params.billing_portal.ConfigurationCreateParams, key)["id"]
    return made


def create_portal_session(params: Mapping[str, Any], *, key: str) -> str:
    """Create a session of Stripe's customer portal; return the URL of its page, which expires within minutes."""
    sdk = connection().v1.billing_portal.sessions
    made: str = _write(sdk.create, (), params, stripe_params.billing_portal.SessionCreateParams, key)["url"]
    return made


def create_product(params: Mapping[str, Any], *, key: str) -> str:
    """Create a product, of which a subscription can have a price; return its id."""
    made: str = _write(connection().v1.products.create, (), params, stripe_params.ProductCreateParams, key)["id"]
    return made


def create_refund(params: Mapping[str, Any], *, key: str) -> objects.Refund:
    sdk = connection().v1.refunds
    return objects.refund(_write(sdk.create, (), params, stripe_params.RefundCreateParams, key))


def rows(first: Callable[[], Any]) -> Iterator[dict[str, Any]]:
    """Iterate over the raw objects on all pages of a list. `first` calls Stripe for the first page."""
    for page in _pages(first):
        yield from page


def _pages(first: Callable[[], Any]) -> Iterator[list[dict[str, Any]]]:
    """Iterate over the pages of a list, each read within the budget."""
    page = budget.read(partial(guarded, first))
    while True:
        yield page.to_dict()["data"]
        if not page.has_more:
            return
        page = budget.read(partial(guarded, page.next_page))


def listed(shape: Callable[[Mapping[str, Any]], T], call: Callable[[Any], Any], **wanted: Any) -> Iterator[list[T]]:
    """Iterate over the pages of a list of Stripe's, a hundred objects each, converted to our values by `shape`."""
    for page in _pages(lambda: call({**wanted, "limit": 100})):
        yield [shape(raw) for raw in page]


def _read(shape: Callable[[Mapping[str, Any]], T], call: Callable[[], Any]) -> T:
    return shape(guarded(call).to_dict())


def _write(
    call: Callable[..., Any], path: tuple[str, ...], params: Mapping[str, Any], typed_dict: type, key: str
) -> dict[str, Any]:
    """Send a write to Stripe and return the raw answer.

    Raises ValueError for an empty key or, with STRIPE_PARAMS_CHECKED, for wrong parameters; else as refusals.guarded.
    """
    if not key:
        raise ValueError("A write to Stripe needs an idempotency key from a committed row.")
    if settings.STRIPE_PARAMS_CHECKED:
        check(params, typed_dict)
    request = in_order(params)
    with missing_means_missing():
        answer: dict[str, Any] = guarded(lambda: call(*path, request, {"idempotency_key": key})).to_dict()
        return answer

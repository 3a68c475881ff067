"""The only door to Stripe: every call goes out here, every write with an idempotency key from a committed row.

Reads return our dataclasses (objects.py). Errors come back as StripeUnavailable, StripeRefused, StripeMissing.
Never called inside a database transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypeVar

import stripe
from django.conf import settings
from stripe import params as stripe_params

from payments.stripe_api import account, objects, values
from payments.stripe_api.budget import budget
from payments.stripe_api.params import check, in_order
from payments.stripe_api.refusals import guarded

T = TypeVar("T")

API_VERSION: str = stripe.api_version
# The longest a reader waits before we say that the payment partner does not answer.
TIMEOUT_SECONDS = 6
# The name of a kind of row and what tells this one from the others; the SDK's own keys have no colon.
OUR_KEY = re.compile(r"[a-z_]+:.+")

_INTENT = ["latest_charge.balance_transaction"]
_REFUND = ["failure_balance_transaction"]
_SUBSCRIPTION = ["default_payment_method", "customer"]
_INVOICE = [
    "payments.data.payment.payment_intent",
    *(f"parent.subscription_details.subscription.{name}" for name in _SUBSCRIPTION),
]
_SESSION = [*(f"payment_intent.{name}" for name in _INTENT), *(f"subscription.{name}" for name in _SUBSCRIPTION)]


class _Keyed(stripe.RequestsClient):
    """The last step before the socket: what is not a read leaves with a key of ours, `<row>:<id>...`, or not at all.

    The SDK gives a write without a key one of its own, by chance: repeated later, that is a second effect.
    """

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **more: Any
    ) -> Any:
        if method.lower() != "get" and not OUR_KEY.fullmatch((headers or {}).get("Idempotency-Key", "")):
            raise ValueError("A write to Stripe needs an idempotency key from a committed row.")
        return super().request(method, url, headers, post_data, **more)


def connection() -> stripe.StripeClient:
    """For this module and lists.py alone."""
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@cache
def _client(secret_key: str, api_base: str) -> stripe.StripeClient:
    """One client a process. The SDK's own client retries nothing unless told to; repeats reuse the key they carry."""
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": api_base},
        http_client=_Keyed(timeout=TIMEOUT_SECONDS),
        max_network_retries=1,
    )


def read_session(session_id: str) -> objects.Session:
    return _read(objects.session, lambda: connection().v1.checkout.sessions.retrieve(session_id, {"expand": _SESSION}))


def sessions_of(led_to: Mapping[str, str]) -> list[objects.Session]:
    """The sessions that led to `{"payment_intent": id}` or `{"subscription": id}`, without what they led to."""
    wanted: Any = {**led_to, "limit": 100}
    return list(map(objects.session, rows(lambda: connection().v1.checkout.sessions.list(wanted))))


def open_session_of(checkout: str, since: datetime) -> tuple[str, str] | None:
    """A session of this checkout that can still be paid (id, address). Stripe cannot search them by metadata."""
    wanted: Any = {"status": "open", "created": {"gte": int(since.timestamp())}, "limit": 100}
    listed_ones = rows(lambda: connection().v1.checkout.sessions.list(wanted))
    return next(((raw["id"], raw["url"]) for raw in listed_ones if objects.is_of_checkout(raw, checkout)), None)


def read_subscription(subscription_id: str) -> objects.Subscription:
    sdk = connection().v1.subscriptions
    return _read(objects.subscription, lambda: sdk.retrieve(subscription_id, {"expand": _SUBSCRIPTION}))


def read_customer(customer_id: str) -> values.Customer:
    return _read(account.customer, lambda: connection().v1.customers.retrieve(customer_id))


def customer_of_method(method_id: str) -> str:
    """Whose a card or account is, or "" when it was removed."""
    return _read(objects.customer_of, lambda: connection().v1.payment_methods.retrieve(method_id))


def read_invoice(invoice_id: str) -> objects.Invoice:
    return _read(objects.invoice, lambda: connection().v1.invoices.retrieve(invoice_id, {"expand": _INVOICE}))


def read_payment_intent(intent_id: str) -> objects.PaymentIntent:
    sdk = connection().v1.payment_intents
    return _read(objects.payment_intent, lambda: sdk.retrieve(intent_id, {"expand": _INTENT}))


def read_charge(charge_id: str) -> objects.Charge:
    return _read(objects.charge, lambda: connection().v1.charges.retrieve(charge_id))


def read_refund(refund_id: str) -> objects.Refund:
    return _read(objects.refund, lambda: connection().v1.refunds.retrieve(refund_id, {"expand": _REFUND}))


def refunds_of(payment: Mapping[str, str]) -> list[objects.Refund]:
    """All refunds of a payment, named as `{"payment_intent": id}` or `{"charge": id}`."""
    wanted: Any = {**payment, "limit": 100}
    return list(map(objects.refund, rows(lambda: connection().v1.refunds.list(wanted))))


def read_dispute(dispute_id: str) -> objects.Dispute:
    return _read(objects.dispute, lambda: connection().v1.disputes.retrieve(dispute_id))


def read_mandate(mandate_id: str) -> objects.Mandate:
    return _read(objects.mandate, lambda: connection().v1.mandates.retrieve(mandate_id))


def read_payout(payout_id: str) -> values.Payout:
    return _read(account.payout, lambda: connection().v1.payouts.retrieve(payout_id))


def invoice_of(intent_id: str) -> str:
    """The invoice a PaymentIntent paid, or "": the intent itself has no such field."""
    wanted: Any = {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 1}
    page = guarded(lambda: connection().v1.invoice_payments.list(wanted)).to_dict()
    return next((str(row["invoice"]) for row in page["data"]), "")


def balance_transactions_since(since: datetime) -> Iterator[values.BalanceTransaction]:
    """Newest first, a hundred a call."""
    wanted: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100}
    return map(account.balance_transaction, rows(lambda: connection().v1.balance_transactions.list(wanted)))


def balance_transactions_of(payout_id: str) -> Iterator[values.BalanceTransaction]:
    """What an automatic payout is made of, each line with what moved it; the payout's own line left out."""
    wanted: Any = {"payout": payout_id, "limit": 100, "expand": ["data.source"]}
    lines = map(account.balance_transaction, rows(lambda: connection().v1.balance_transactions.list(wanted)))
    return (line for line in lines if line.type != "payout")


def read_balance_transaction(transaction_id: str) -> values.BalanceTransaction:
    sdk = connection().v1.balance_transactions
    return _read(account.balance_transaction, lambda: sdk.retrieve(transaction_id, {"expand": ["source"]}))


def list_events(types: Sequence[str], since: datetime) -> Iterator[list[dict[str, Any]]]:
    """Events of at most twenty types, delivered or not, as they were rendered when they were made; for 30 days."""
    wanted: Any = {"types": list(types), "created": {"gte": int(since.timestamp())}, "limit": 100}
    return _pages(lambda: connection().v1.events.list(wanted))


def account_id() -> str:
    """Whose key this is. A restricted key may not be allowed to say: StripeRefused."""
    found: str = guarded(lambda: connection().v1.accounts.retrieve_current()).to_dict()["id"]
    return found


def stripe_time() -> datetime:
    """What Stripe's clock says, in whole seconds; asked with the smallest read that our key must be allowed."""
    answer = guarded(lambda: connection().v1.balance_transactions.list({"limit": 1}))
    return parsedate_to_datetime(answer.last_response.headers["Date"])


def webhook_endpoints() -> list[values.WebhookEndpoint]:
    """All of the account in the key's mode; Stripe allows sixteen."""
    page = guarded(lambda: connection().v1.webhook_endpoints.list({"limit": 100})).to_dict()
    return [account.webhook_endpoint(raw) for raw in page["data"]]


def create_webhook_endpoint(params: Mapping[str, Any], *, key: str) -> tuple[str, str]:
    """Returns (endpoint id, signing secret). Stripe says the secret in this answer only."""
    sdk = connection().v1.webhook_endpoints
    made = _write(sdk.create, (), params, stripe_params.WebhookEndpointCreateParams, key)
    return made["id"], made["secret"]


def update_webhook_endpoint(endpoint_id: str, params: Mapping[str, Any], *, key: str) -> None:
    sdk = connection().v1.webhook_endpoints
    _write(sdk.update, (endpoint_id,), params, stripe_params.WebhookEndpointUpdateParams, key)


def create_checkout_session(params: Mapping[str, Any], *, key: str) -> tuple[str, str]:
    """Returns (session id, address of Stripe's page). The same key gives the same session, however often."""
    sdk = connection().v1.checkout.sessions
    made = _write(sdk.create, (), params, stripe_params.checkout.SessionCreateParams, key)
    return made["id"], made["url"]


def update_subscription(subscription_id: str, params: Mapping[str, Any], *, key: str) -> None:
    sdk = connection().v1.subscriptions
    _write(sdk.update, (subscription_id,), params, stripe_params.SubscriptionUpdateParams, key)


def cancel_subscription(subscription_id: str, params: Mapping[str, Any], *, key: str) -> None:
    sdk = connection().v1.subscriptions
    _write(sdk.cancel, (subscription_id,), params, stripe_params.SubscriptionCancelParams, key)


def pay_invoice(invoice_id: str, params: Mapping[str, Any], *, key: str) -> objects.Invoice:
    """Try an open invoice now. Raises Declined when the bank said no or wants it confirmed, beside the usual."""
    sdk = connection().v1.invoices
    return objects.invoice(_write(sdk.pay, (invoice_id,), params, stripe_params.InvoicePayParams, key))


def create_portal_configuration(params: Mapping[str, Any], *, key: str) -> str:
    """Returns the configuration's id."""
    sdk = connection().v1.billing_portal.configurations
    made: str = _write(sdk.create, (), params, stripe_params.billing_portal.ConfigurationCreateParams, key)["id"]
    return made


def create_portal_session(params: Mapping[str, Any], *, key: str) -> str:
    """Returns the address of Stripe's page, which is good for some minutes."""
    sdk = connection().v1.billing_portal.sessions
    made: str = _write(sdk.create, (), params, stripe_params.billing_portal.SessionCreateParams, key)["url"]
    return made


def create_refund(params: Mapping[str, Any], *, key: str) -> objects.Refund:
    sdk = connection().v1.refunds
    return objects.refund(_write(sdk.create, (), params, stripe_params.RefundCreateParams, key))


def rows(first: Callable[[], Any]) -> Iterator[dict[str, Any]]:
    for page in _pages(first):
        yield from page


def _pages(first: Callable[[], Any]) -> Iterator[list[dict[str, Any]]]:
    """A list of Stripe's, a page at a time, each within the budget of reads."""
    budget.wait()
    page = guarded(first)
    while True:
        yield page.to_dict()["data"]
        if not page.has_more:
            return
        budget.wait()
        page = guarded(page.next_page)


def listed(shape: Callable[[Mapping[str, Any]], T], call: Callable[[Any], Any], **wanted: Any) -> Iterator[list[T]]:
    for page in _pages(lambda: call({**wanted, "limit": 100})):
        yield [shape(raw) for raw in page]


def _read(shape: Callable[[Mapping[str, Any]], T], call: Callable[[], Any]) -> T:
    return shape(guarded(call).to_dict())


def _write(
    call: Callable[..., Any], path: tuple[str, ...], params: Mapping[str, Any], typed_dict: type, key: str
) -> dict[str, Any]:
    if not key:
        raise ValueError("A write to Stripe needs an idempotency key from a committed row.")
    if settings.STRIPE_PARAMS_CHECKED:
        check(params, typed_dict)
    request = in_order(params)
    answer: dict[str, Any] = guarded(lambda: call(*path, request, {"idempotency_key": key})).to_dict()
    return answer

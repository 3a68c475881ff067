"""Convert Stripe's objects, dictionaries of the API version that the SDK pins, into the values of values.py.

With account.py, means.py and trying/ the only place that knows Stripe's field names (docs/decisions/0003). Amounts are
in Stripe's minor units, currency codes in upper case.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from payments.stripe_api import means
from payments.stripe_api.billing import bills, prices
from payments.stripe_api.fields import id_of as _id
from payments.stripe_api.fields import moment as _moment
from payments.stripe_api.fields import moment_or_none as _moment_or_none
from payments.stripe_api.trying import failed
from payments.stripe_api.values import (
    Charge,
    Dispute,
    FraudWarning,
    Invoice,
    PaymentIntent,
    Refund,
    Returned,
    Session,
    Subscription,
)

# The only metadata that we store at Stripe: public ids of our rows, never anything about a person. No other software
# uses these names, so that on a shared account they identify our objects, even when our row is missing.
METADATA_CHECKOUT = "hromada_checkout"
METADATA_REFUND_REQUEST = "hromada_refund_request"
# Stripe's reporting category of a balance transaction that is a fee: https://docs.stripe.com/reports/reporting-categories
FEE = "fee"

Raw = Mapping[str, Any]


def charge(raw: Raw) -> Charge:
    return Charge(
        id=raw["id"],
        payment_intent=_id(raw.get("payment_intent")),
        customer=_id(raw.get("customer")),
        checkout=_checkout(raw),
        status=raw["status"],
        amount=raw["amount"],
        currency=raw["currency"].upper(),
        method=means.method(raw.get("payment_method_details")),
        created_at=_moment(raw["created"]),
    )


def intent_of(charge: Charge) -> PaymentIntent:
    """Return the PaymentIntent of a charge that succeeded, built from the charge alone."""
    return PaymentIntent(
        id=charge.payment_intent,
        customer=charge.customer,
        checkout=charge.checkout,
        status="succeeded",
        amount=charge.amount,
        currency=charge.currency,
        charge=charge.id,
        method=charge.method,
        error_code="",
        created_at=charge.created_at,
        paid_at=charge.created_at,
    )


def payment_intent(raw: Raw) -> PaymentIntent:
    latest = raw.get("latest_charge")
    expanded: Raw = latest if isinstance(latest, Mapping) else {}
    return PaymentIntent(
        id=raw["id"],
        customer=_id(raw.get("customer")),
        checkout=_checkout(raw),
        status=raw["status"],
        amount=raw["amount_received"] if raw["status"] == "succeeded" else raw["amount"],
        currency=raw["currency"].upper(),
        charge=_id(latest),
        method=means.method(expanded.get("payment_method_details")),
        error_code=failed.code(raw),
        created_at=_moment(raw["created"]),
        paid_at=_moment(means.came_at(expanded) or raw["created"]),
        failed=failed.of_intent(raw, _checkout(raw)),
    )


def subscription(raw: Raw) -> Subscription:
    terms = prices.terms(raw)
    own, default = raw.get("default_payment_method"), means.of_customer(raw.get("customer"))
    method = own or default
    pause = raw.get("pause_collection") or {}
    return Subscription(
        id=raw["id"],
        customer=_id(raw.get("customer")),
        checkout=_checkout(raw),
        status=raw["status"],
        amount=terms.amount,
        currency=raw["currency"].upper(),
        interval=terms.interval,
        interval_count=terms.interval_count,
        unusual=terms.unusual,
        has_balance=prices.owes_or_has_credit(raw),
        item=terms.item,
        product=terms.product,
        method=means.method(method),
        method_id=_id(method),
        own_method_id=_id(own),
        customers_method_id=_id(default),
        customers_method_made_at=_moment_or_none(means.made_at(default)),
        lacks_method=means.lacks_method(own, raw.get("customer")),
        method_expires_on=means.card_expiry(method),
        collection_paused=bool(pause),
        resumes_at=_moment_or_none(pause.get("resumes_at")),
        started_at=_moment(raw["start_date"]),
        current_period_end=_moment(prices.period_end(raw)),
        cancel_at_period_end=raw["cancel_at_period_end"],
        cancel_at=_moment_or_none(raw.get("cancel_at")),
        canceled_at=_moment_or_none(raw.get("canceled_at")),
        ended_at=_moment_or_none(raw.get("ended_at")),
        ended_reason=(raw.get("cancellation_details") or {}).get("reason") or "",
    )


def invoice(raw: Raw) -> Invoice:
    parent = (raw.get("parent") or {}).get("subscription_details") or {}
    agreed = parent.get("subscription")
    payment = bills.payment(raw).get("payment") or {}
    intent = payment.get("payment_intent")
    return Invoice(
        id=raw["id"],
        customer=_id(raw.get("customer")),
        subscription=_id(agreed),
        checkout=_checkout(parent),
        status=raw.get("status") or "",
        is_first=raw.get("billing_reason") == "subscription_create",
        amount=bills.amount(raw),
        currency=raw["currency"].upper(),
        has_price=bills.has_price(raw),
        monthly=bills.monthly(raw),
        due=bills.due(raw),
        attempts=raw.get("attempt_count") or 0,
        advances=bool(raw.get("auto_advance")),
        next_attempt_at=_moment_or_none(raw.get("next_payment_attempt")),
        period_end=_moment(bills.period_end(raw)),
        paid_at=_moment_or_none((raw.get("status_transitions") or {}).get("paid_at")),
        created_at=_moment(raw["created"]),
        payment_intent=payment_intent(intent) if isinstance(intent, Mapping) else None,
        charge=bills.charge_of(payment) if raw.get("status") == "paid" else "",
        parts=bills.parts(raw),
        agreed=subscription(agreed) if isinstance(agreed, Mapping) else None,
        hosted_url=raw.get("hosted_invoice_url") or "",
    )


def due_of(raw: Raw) -> tuple[int, str]:
    """Return what a previewed invoice would take, after credit, in minor units, and its currency."""
    return int(raw["amount_due"]), str(raw["currency"]).upper()


def session(raw: Raw) -> Session:
    intent, agreed = raw.get("payment_intent"), raw.get("subscription")
    typed = raw.get("customer_details") or {}
    return Session(
        id=raw["id"],
        checkout=_checkout(raw),
        email=typed.get("email") or raw.get("customer_email") or "",
        name=typed.get("name") or "",
        locale=raw.get("locale") or "",
        created_at=_moment(raw["created"]),
        customer=_id(raw.get("customer")),
        status=raw.get("status") or "",
        payment_status=raw.get("payment_status") or "",
        amount=raw.get("amount_total") or 0,
        currency=(raw.get("currency") or "").upper(),
        payment_intent=payment_intent(intent) if isinstance(intent, Mapping) else None,
        subscription=subscription(agreed) if isinstance(agreed, Mapping) else None,
        invoice=_id(raw.get("invoice")),
    )


def refund(raw: Raw) -> Refund:
    """Convert a refund. Stripe may leave its status out: it is done once it has taken money from the balance."""
    back = raw.get("failure_balance_transaction")
    has_line = bool(raw.get("balance_transaction"))
    status = raw.get("status") or ("succeeded" if has_line else "")
    return Refund(
        id=raw["id"],
        charge=_id(raw.get("charge")),
        payment_intent=_id(raw.get("payment_intent")),
        status=status,
        amount=raw["amount"],
        currency=raw["currency"].upper(),
        request=str((raw.get("metadata") or {}).get(METADATA_REFUND_REQUEST) or ""),
        reason=raw.get("reason") or "",
        failure_reason=raw.get("failure_reason") or "",
        returned_at=_moment(back["created"]) if isinstance(back, Mapping) else None,
        has_taken_money=has_line or status in {"pending", "succeeded"},
        created_at=_moment(raw["created"]),
    )


def fraud_warning(raw: Raw) -> FraudWarning:
    intent, kind = _id(raw.get("payment_intent")), str(raw.get("fraud_type") or "")
    return FraudWarning(raw["id"], _id(raw.get("charge")), intent, kind)


def dispute(raw: Raw) -> Dispute:
    """Convert a dispute. What was withdrawn and came back is read from its balance transactions, fees left out.

    An answer that is due at 0 is not possible.
    """
    moved = [line for line in raw.get("balance_transactions") or [] if line.get("reporting_category") != FEE]
    withdrawn = [line for line in moved if line["amount"] < 0]
    return Dispute(
        id=raw["id"],
        charge=_id(raw.get("charge")),
        payment_intent=_id(raw.get("payment_intent")),
        status=raw["status"],
        reason=raw.get("reason") or "",
        amount=raw["amount"],
        currency=raw["currency"].upper(),
        withdrawn_at=min((_moment(line["created"]) for line in withdrawn), default=None),
        parts=_parts(raw["amount"], withdrawn, [line for line in moved if line["amount"] > 0]),
        respond_by=_moment_or_none((raw.get("evidence_details") or {}).get("due_by") or None),
        created_at=_moment(raw["created"]),
    )


def _parts(amount: int, withdrawn: list[Raw], returned: list[Raw]) -> tuple[Returned, ...]:
    """Return what came back of `amount`, summed up at each return, by its share of what was withdrawn.

    The lines are in the currency of our balance. The rate may have changed meanwhile, so what came back counts at the
    rate of the withdrawal. It is exact to one minor unit of that currency, so less than one is not missing.
    """
    if not withdrawn:
        return ()
    taken = max(withdrawn, key=lambda line: -line["amount"])
    back, parts = Decimal(0), []
    for line in sorted(returned, key=lambda line: line["created"]):
        rates = [one.get("exchange_rate") for one in (taken, line)]
        back += line["amount"] * (Decimal(str(rates[0])) / Decimal(str(rates[1])) if all(rates) else 1)
        is_whole = back > -taken["amount"] - 1
        parts.append(Returned(amount if is_whole else int(amount * back // -taken["amount"]), _moment(line["created"])))
    return tuple(parts)


def customer_of(raw: Raw) -> str:
    return _id(raw.get("customer"))


def invoice_paid_in_part(raw: Raw) -> str:
    """Return the id of the invoice that a payment of an invoice belongs to; "" if it is the invoice's default one."""
    return "" if raw.get("is_default") else _id(raw.get("invoice"))


def customer_before(event: Raw) -> str:
    """Return the id of the customer a payment method belonged to before this event detached it, or ""."""
    return _id((event["data"].get("previous_attributes") or {}).get("customer"))


def changed_address(event: Raw) -> bool:
    """Return whether this event reports a change of the customer's email address."""
    return "email" in (event["data"].get("previous_attributes") or {})


def lane_of(raw: Raw) -> str:
    """Return the name of the lane of an object: events in one lane are processed one after another.

    It is the id of its customer, else of its PaymentIntent or charge, else its own.
    """
    keys = () if raw.get("object") == "customer" else ("customer", "payment_intent", "charge")
    for key in keys:
        if found := _id(raw.get(key)):
            return found
    return str(raw.get("id") or "")


def lane(found: Charge | Dispute | Invoice | PaymentIntent | Refund | Session | Subscription) -> str:
    """Return the name of the lane of an object that was read, by the same rule as `lane_of`."""
    charge = found.charge if isinstance(found, Dispute | Refund) else ""
    intent = getattr(found, "payment_intent", "")
    intent_id = intent if isinstance(intent, str) else getattr(intent, "id", "")
    return str(getattr(found, "customer", "") or intent_id or charge or found.id)


def is_of_checkout(raw: Raw, checkout: str) -> bool:
    return _checkout(raw) == checkout


def _checkout(raw: Raw) -> str:
    return str((raw.get("metadata") or {}).get(METADATA_CHECKOUT) or "")

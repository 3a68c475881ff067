"""A checkout session: paid, declined, authenticated, pending at the bank, or expired.

The hosted page and the tests both call `pay`. A session is paid once, however often the button is pressed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stripe_simulator.life import charging, finalizing, invoicing, methods, subscriptions
from stripe_simulator.life.charging import Result
from stripe_simulator.life.methods import Means
from stripe_simulator.objects.checkout import customer_details
from stripe_simulator.objects.payments import payment_intent
from stripe_simulator.objects.people import customer as new_customer
from stripe_simulator.world.clock import duty
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


class NotOpen(Exception):
    """The session is complete or expired; the argument is its status."""


@dataclass(frozen=True)
class Outcome:
    """The result of an attempt. `message` is Stripe's sentence if the payment failed."""

    result: Result
    message: str = ""


def pay(world: World, session: Document, means: Means, email: str | None, name: str | None) -> Outcome:
    """Pay a session; return the outcome. Raises NotOpen, and cards.UnknownNumber for any number but a test number."""
    if session["status"] != "open":
        raise NotOpen(session["status"])
    email = session["customer_email"] or _known_email(world, session) or email
    method = methods.make(world, means, email, name)
    world.update(session, _method=method["id"], _email=email, _name=name)
    customer = _customer(world, session)
    intent = _intent(world, session, customer)
    world.update(session, _intent=intent["id"], _customer=customer and customer["id"])
    result = charging.attempt(world, intent, method)
    return _after(world, session, intent, result)


def authenticate(world: World, session: Document, *, passes: bool) -> Outcome:
    """Answer the 3-D Secure question of a session; return the outcome. Raises NotOpen."""
    if session["status"] != "open":
        raise NotOpen(session["status"])
    intent = world.get("payment_intent", session.get("_intent"))
    if intent["status"] != "requires_action":
        return Outcome(Result.FAILED, "There is nothing to authenticate. Choose how to pay again.")
    method = world.get("payment_method", session["_method"])
    if passes:
        result = charging.attempt(world, intent, method, authenticated=True)
    else:
        result = charging.fail_authentication(world, intent, method)
    return _after(world, session, intent, result)


def _known_email(world: World, session: Document) -> str | None:
    customer = world.store.get("customer", session["customer"])
    return customer["email"] if customer else None


def _intent(world: World, session: Document, customer: Document | None) -> Document:
    """Return the payment intent of a session, created at its first attempt and used for all of them."""
    known = world.store.get("payment_intent", session.get("_intent"))
    if known is not None:
        return known
    subscription = session["mode"] == "subscription"
    given = session["_payment_intent_data"]
    intent = payment_intent(
        world,
        session["amount_total"],
        session["currency"],
        customer=customer["id"] if customer else None,
        description="Subscription creation" if subscription else given.get("description"),
        metadata={} if subscription else dict(given.get("metadata") or {}),
        receipt_email=given.get("receipt_email"),
        statement_descriptor=given.get("statement_descriptor"),
        statement_descriptor_suffix=given.get("statement_descriptor_suffix"),
        setup_future_usage="off_session" if subscription else given.get("setup_future_usage"),
        payment_method_types=session["payment_method_types"],
    )
    world.add(intent, "payment_intent.created")
    if not subscription:
        world.update(session, payment_intent=intent["id"])
    return intent


def _after(world: World, session: Document, intent: Document, result: Result) -> Outcome:
    if result in (Result.SUCCEEDED, Result.PROCESSING, Result.ELSEWHERE):
        _complete(world, session, intent, result)
        return Outcome(result)
    if result is Result.REQUIRES_ACTION:
        return Outcome(result)
    return Outcome(result, (intent["last_payment_error"] or {}).get("message", "The payment failed."))


def _complete(world: World, session: Document, intent: Document, result: Result) -> None:
    """Complete a session that was paid, or is paid later, with its subscription if it has one."""
    world.unschedule("expire", session["id"])
    method = world.get("payment_method", session["_method"])
    customer = world.store.get("customer", session["_customer"])
    if customer is not None and intent["setup_future_usage"]:
        methods.attach(world, method, customer)
    more: dict[str, Any] = {}
    if session["mode"] == "subscription" and customer is not None:
        subscription = _subscribe(world, session, intent, customer, method, result)
        more = {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}
    world.update(
        session,
        status="complete",
        payment_status="paid" if result is Result.SUCCEEDED else "unpaid",
        customer=customer["id"] if customer else None,
        customer_details=customer_details(session["_email"], session["_name"]),
        consent=_consent(session),
        url=None,
        **more,
    )
    world.emit("checkout.session.completed", session)


def _consent(session: Document) -> Document | None:
    """Return the consent of the reader: required terms are accepted, promotions are declined."""
    asked = session["consent_collection"]
    if not asked:
        return None
    accepted = "accepted" if asked.get("terms_of_service") == "required" else None
    return {"promotions": "opt_out" if asked.get("promotions") == "auto" else None, "terms_of_service": accepted}


def _customer(world: World, session: Document) -> Document | None:
    """Return the customer of a session, created at the first attempt, even if it fails. None if none is needed."""
    known = world.store.get("customer", session["customer"] or session.get("_customer"))
    if known is not None:
        return known
    if session["mode"] == "payment" and session["customer_creation"] != "always":
        return None
    locale = session["locale"]
    customer = new_customer(
        world,
        email=session["_email"],
        name=session["_name"],
        preferred_locales=[locale] if locale and locale != "auto" else [],
    )
    return world.add(customer, "customer.created")


def _subscribe(
    world: World, session: Document, intent: Document, customer: Document, method: Document, result: Result
) -> Document:
    """Create the subscription and its first invoice; it stays incomplete while its giver must act elsewhere."""
    line, given = session["_line_items"][0], session["_subscription_data"]
    subscription = subscriptions.start(
        world,
        customer,
        line["price"],
        line["quantity"],
        metadata=dict(given.get("metadata") or {}),
        description=given.get("description"),
        default_payment_method=method["id"],
        _title=line["description"],
        _session=session["id"],
    )
    if customer["currency"] is None:
        world.update(customer, currency=session["currency"])
    invoice = finalizing.create(world, subscription, "subscription_create")
    world.emit("customer.subscription.created", subscription)
    finalizing.finalize(world, invoice, intent)
    if result is Result.SUCCEEDED:
        invoicing.paid(world, invoice)
    else:
        world.update(invoice, attempted=True, attempt_count=1)
    if result is Result.ELSEWHERE:
        return subscription
    world.update(subscription, "customer.subscription.updated", status="active")
    subscriptions.schedule_renewal(world, subscription)
    return subscription


@duty("expire")
def expire(world: World, session_id: str) -> None:
    """Expire a session that is open, and cancel its payment intent. Idempotent."""
    session = world.get("checkout.session", session_id)
    if session["status"] == "open":
        world.update(session, status="expired", url=None)
        intent = world.store.get("payment_intent", session.get("_intent"))
        if intent is not None:
            charging.cancel(world, intent, "expired")
        world.emit("checkout.session.expired", session)

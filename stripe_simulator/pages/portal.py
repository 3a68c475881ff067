"""The hosted portal at /portal/<session>: change the card, cancel or keep a subscription, see invoices.

Forms post `action`: method (with the fields of fields.py, or `saved`, one that the customer has), or cancel
or keep (with `subscription`). Features that the configuration switches off are neither shown nor carried out.
"""

from __future__ import annotations

from html import escape
from typing import Any

from stripe_simulator.life import endings, methods, subscriptions
from stripe_simulator.pages import fields, layout
from stripe_simulator.server.wire import Request, Response, redirect
from stripe_simulator.simulator import Simulator
from stripe_simulator.world.cards import UnknownNumber
from stripe_simulator.world.clock import as_datetime
from stripe_simulator.world.rendering import newest_first
from stripe_simulator.world.store import Document

SHOWN = 12


def answer(simulator: Simulator, request: Request) -> Response:
    simulator.world.catch_up()
    with simulator.world.transaction():
        session = simulator.world.store.get("billing_portal.session", request.path.split("/")[2])
        if session is None:
            return layout.not_found()
        if request.method != "POST":
            return show(simulator, session)
        form = request.form()
        act = {"method": _change_method, "cancel": _cancel, "keep": _keep}.get(form.get("action", ""))
        try:
            if act is not None:
                act(simulator, session, form)
        except UnknownNumber as error:
            return show(simulator, session, form, str(error))
    return redirect(_after(session))


def _after(session: Document) -> str:
    """Return where the customer goes after an action: the address that the flow names, else the portal."""
    completion = session["_flow"].get("after_completion") or {}
    if completion.get("type") == "redirect":
        return str(completion["redirect"]["return_url"])
    return f"/portal/{session['id']}"


def _features(simulator: Simulator, session: Document) -> Document:
    configuration = simulator.world.get("billing_portal.configuration", session["configuration"])
    features: Document = configuration["features"]
    return features


def _allows(simulator: Simulator, session: Document, feature: str) -> bool:
    """Return whether the configuration has this feature, and the flow, if there is one, is for it."""
    flow = session["_flow"].get("type")
    return _features(simulator, session)[feature]["enabled"] and flow in (None, feature)


def _change_method(simulator: Simulator, session: Document, form: dict[str, str]) -> None:
    if not _allows(simulator, session, "payment_method_update"):
        return
    world = simulator.world
    customer = world.get("customer", session["customer"])
    saved = world.store.get("payment_method", form.get("saved"))
    if saved and saved["customer"] == customer["id"]:
        methods.make_default(world, saved, customer)
        return
    method = methods.make(world, fields.means(form, ["card", "sepa_debit"]), customer["email"], customer["name"])
    methods.make_default(world, method, customer)


def _running(simulator: Simulator, session: Document, form: dict[str, str]) -> Document | None:
    """Return the customer's own subscription that the form names; None if it has ended or is another customer's."""
    found = simulator.world.store.get("subscription", form.get("subscription"))
    if found is None or found["customer"] != session["customer"] or found["status"] in endings.ENDED:
        return None
    return found


def _cancel(simulator: Simulator, session: Document, form: dict[str, str]) -> None:
    subscription = _running(simulator, session, form)
    if subscription is not None and _allows(simulator, session, "subscription_cancel"):
        mode = _features(simulator, session)["subscription_cancel"]["mode"]
        subscriptions.cancel(simulator.world, subscription, at_period_end=mode == "at_period_end")


def _keep(simulator: Simulator, session: Document, form: dict[str, str]) -> None:
    subscription = _running(simulator, session, form)
    if subscription is not None:
        changes = subscriptions.ending(simulator.world, subscription, False)
        simulator.world.update(subscription, "customer.subscription.updated", **changes)


def show(simulator: Simulator, session: Document, form: dict[str, str] | None = None, message: str = "") -> Response:
    world = simulator.world
    customer = world.get("customer", session["customer"])
    owned = newest_first(world.store.where("subscription", customer=customer["id"]))
    body = [
        "<h1>Your subscription</h1>",
        f'<p class="quiet">{escape(customer["email"] or "")}</p>',
        layout.problem(message),
        *(_subscription(simulator, session, each) for each in owned),
        _method(simulator, session, customer, form or {}),
        _invoices(simulator, session, customer),
        layout.link(session["return_url"], "Back to the site"),
    ]
    return layout.page("Your subscription", "\n".join(body), 422 if message else 200)


def day(timestamp: float) -> str:
    return as_datetime(timestamp).strftime("%-d %B %Y")


def _subscription(simulator: Simulator, session: Document, each: Document) -> str:
    price = subscriptions.item_of(each)["price"]
    facts = [("Amount", f"{layout.amount(price['unit_amount'], price['currency'])} {layout.often(price)}")]
    facts.append(("State", escape(each["status"].replace("_", " "))))
    until = day(subscriptions.period_end(each))
    action = ""
    if each["status"] in endings.ENDED:
        facts.append(("Ended", day(each["ended_at"])))
    elif each["cancel_at_period_end"]:
        facts.append(("Ends", until))
        action = _button(session, "keep", "Keep it after all", each)
    else:
        facts.append(("Next payment", until))
        if _allows(simulator, session, "subscription_cancel"):
            action = _button(session, "cancel", "Cancel", each)
    return f"<section>{layout.facts(facts)}{action}</section>"


def _button(session: Document, action: str, words: str, each: Document) -> str:
    return (
        f'<form method="post" action="/portal/{session["id"]}">'
        f'<input type="hidden" name="subscription" value="{each["id"]}">'
        f'<button class="button plain" name="action" value="{action}">{words}</button></form>'
    )


def _method(simulator: Simulator, session: Document, customer: Document, form: dict[str, str]) -> str:
    if not _allows(simulator, session, "payment_method_update"):
        return ""
    id = customer["invoice_settings"]["default_payment_method"] or next(
        (s["default_payment_method"] for s in simulator.world.store.where("subscription", customer=customer["id"])),
        None,
    )
    method: dict[str, Any] = simulator.world.store.get("payment_method", id) or {}
    details = method.get(method.get("type", ""))
    now = f"<p>Paying with {method['type'].replace('_', ' ')} ending in {details['last4']}.</p>" if details else ""
    return (
        f'<section><h2>Change how you pay</h2>{now}<form method="post" action="/portal/{session["id"]}" class="stack">'
        f"{fields.ways(['card', 'sepa_debit'], form)}"
        '<button class="button" name="action" value="method">Pay with this from now on</button></form></section>'
    )


def _invoices(simulator: Simulator, session: Document, customer: Document) -> str:
    if not _allows(simulator, session, "invoice_history"):
        return ""
    found = newest_first(simulator.world.store.where("invoice", customer=customer["id"]))[:SHOWN]
    items = "".join(
        f'<li><a href="/invoices/{each["id"]}">{day(each["created"])}</a>: '
        f"{layout.amount(each['total'], each['currency'])}, {escape(each['status'])}</li>"
        for each in found
    )
    return f'<section><h2>Invoices</h2><ul class="list">{items}</ul></section>' if items else ""

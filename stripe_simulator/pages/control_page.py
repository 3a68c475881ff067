"""The control page at /_simulator/: the date, subscriptions, payments, events, and buttons for what happens next.

Its clock moves Stripe's date and the site's business date together, a day at a time (journey.py). Forms post `action`
and its fields, which buttons.py handles. Only requests from this machine are answered.
"""

from __future__ import annotations

from decimal import Decimal
from html import escape

from stripe_simulator.life import subscriptions
from stripe_simulator.pages import layout
from stripe_simulator.pages.buttons import ACTIONS, REMINDER_DAYS, RUNNING, yearly_renewal
from stripe_simulator.server.control import refused
from stripe_simulator.server.wire import Request, Response, redirect
from stripe_simulator.simulator import Simulator
from stripe_simulator.world.cards import ACCOUNTS, CARDS, UnknownNumber
from stripe_simulator.world.clock import as_datetime
from stripe_simulator.world.errors import StripeRefusal
from stripe_simulator.world.money import exponent
from stripe_simulator.world.rendering import newest_first
from stripe_simulator.world.store import Document

HOME = "/_simulator/"
SHOWN = 15
GOOD = ("active", "succeeded", "paid", "delivered")
LATE = ("past_due", "pending", "retrying", "paused", "incomplete")


def answer(simulator: Simulator, request: Request) -> Response:
    refusal = refused(request)
    if refusal is not None:
        return refusal
    if request.method != "POST":
        return show(simulator)
    form = request.form()
    act = ACTIONS.get(form.get("action", ""))
    try:
        if act is None:
            raise ValueError("There is no such button.")
        act(simulator, form)
    except (StripeRefusal, UnknownNumber, LookupError, ValueError, ArithmeticError) as error:
        return show(simulator, str(error))
    return redirect(HOME)


def show(simulator: Simulator, message: str = "") -> Response:
    simulator.world.catch_up()
    with simulator.world.lock:
        travelling = simulator.journey.days_left
        body = [
            "<h1>Stripe, simulated</h1>",
            layout.problem(message or simulator.journey.problem),
            _clock(simulator, travelling),
            _subscriptions(simulator),
            _payments(simulator),
            _events(simulator),
            _chaos(simulator),
        ]
    refresh = 2 if travelling else None
    return layout.page("Controls", "\n".join(body), 422 if message else 200, width="wide", refresh=refresh)


def button(action: str, words: str, **fields: str) -> str:
    """Return a form with one button and these hidden fields."""
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())
    return (
        f'<form method="post" action="{HOME}">{hidden}'
        f'<button class="button plain small" name="action" value="{action}">{escape(words)}</button></form>'
    )


def day(timestamp: float | None) -> str:
    return as_datetime(timestamp).strftime("%-d %B %Y") if timestamp else ""


def moment(timestamp: float) -> str:
    return as_datetime(timestamp).strftime("%-d %b %Y, %H:%M:%S")


def _clock(simulator: Simulator, travelling: int) -> str:
    today = f'<p class="total"><span>{day(simulator.now())}</span> on Stripe\'s clock</p>'
    if travelling:
        stop = button("stop", "Stop here")
        return f'{today}<div class="notice" role="status"><p>On the way: {travelling} days left.</p>{stop}</div>'
    steps = [("1", "+1 day"), ("7", "+1 week"), ("month", "+1 month"), ("year", "+1 year")]
    steps += [("eve", "To the day before the next renewal"), ("renewal", "To the next renewal")]
    if yearly_renewal(simulator):
        steps.append(("reminder", f"To {REMINDER_DAYS} days before the next yearly renewal"))
    buttons = "".join(button("advance", words, to=to) for to, words in steps)
    both = "Stripe's date and the site's business date move together, a day at a time, with each day's jobs."
    return f'{today}<p class="quiet">{both}</p><div class="actions">{buttons}</div>'


def _table(caption: str, heads: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return f'<section><h2>{caption}</h2><p class="quiet">None yet.</p></section>'
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<section><h2>{caption}</h2><div class="scroll" tabindex="0" role="region" aria-label="{caption}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div></section>"
    )


def _state(word: str) -> str:
    kind = "" if word in GOOD else "late" if word in LATE else "bad"
    return f'<span class="state {kind}">{escape(word)}</span>'


def _who(simulator: Simulator, id: str | None) -> str:
    person = simulator.world.store.get("customer", id)
    return escape((person and person["email"]) or "")


def _subscriptions(simulator: Simulator) -> str:
    rows = []
    for each in newest_first(simulator.world.store.all("subscription"))[:SHOWN]:
        price = subscriptions.item_of(each)["price"]
        what = f"{layout.amount(price['unit_amount'], price['currency'])} {layout.often(price)}"
        status = _state(each["status"]) + (" <small>ends then</small>" if each["cancel_at_period_end"] else "")
        renews = day(subscriptions.period_end(each))
        rows.append([_who(simulator, each["customer"]), what, status, renews, _subscription_buttons(each)])
    return _table("Subscriptions", ["Who", "What", "State", "Paid until", "Next"], rows)


def _subscription_buttons(each: Document) -> str:
    if each["status"] not in RUNNING:
        return ""
    options = "".join(
        f'<option value="{value}">{label}: {value[-4:]}</option>'
        for value, label in [(card.number, card.label) for card in CARDS.values()]
        + [(account.iban, account.label) for account in ACCOUNTS.values()]
    )
    swap = "".join(
        (
            f'<form method="post" action="{HOME}" class="actions"><input type="hidden" name="id" value="{each["id"]}">',
            f'<label><span class="unseen">New payment method</span><select name="number">{options}</select></label>',
            '<button class="button plain small" name="action" value="swap">Pay with this from now</button></form>',
        )
    )
    fail = button("swap", "Let renewals fail", id=each["id"], number="4000000000000341")
    ends = button("cancel", "Cancel now", id=each["id"])
    return f'<div class="actions">{fail}{ends}</div>{swap}'


def _payments(simulator: Simulator) -> str:
    rows = []
    for each in newest_first(simulator.world.store.all("charge"))[:SHOWN]:
        method = each["payment_method_details"]
        how = f"{method['type'].replace('_', ' ')} {method[method['type']]['last4']}"
        left = each["amount"] - each["amount_refunded"]
        state = _state(each["status"]) + (" <small>disputed</small>" if each["disputed"] else "")
        if each["amount_refunded"]:
            state += f" <small>{layout.amount(each['amount_refunded'], each['currency'])} refunded</small>"
        amount = layout.amount(each["amount"], each["currency"])
        who = _who(simulator, each["customer"]) or escape(each["billing_details"]["email"] or "")
        rows.append([moment(each["created"]), who, amount, escape(how), state, _payment_buttons(simulator, each, left)])
    return _table("Latest payments", ["When", "Who", "Amount", "How", "State", "Next"], rows)


def _payment_buttons(simulator: Simulator, each: Document, left: int) -> str:
    if each["status"] == "pending":
        pair = button("settle", "Bank pays", id=each["id"]) + button("refuse", "Bank refuses", id=each["id"])
        return f'<div class="actions">{pair}</div>'
    if each["status"] != "succeeded":
        return ""
    if each["disputed"]:
        open_ones = [d for d in simulator.world.store.where("dispute", charge=each["id"]) if "response" in d["status"]]
        pair = "".join(button("won", "Won", id=d["id"]) + button("lost", "Lost", id=d["id"]) for d in open_ones)
        return f'<div class="actions">{pair}</div>'
    if not left:
        return ""
    digits = exponent(each["currency"])
    value = f"{Decimal(left).scaleb(-digits):.{digits}f}"
    refund = (
        f'<form method="post" action="{HOME}" class="actions"><input type="hidden" name="id" value="{each["id"]}">'
        f'<input class="input" name="amount" value="{value}" inputmode="decimal" size="8" aria-label="To refund">'
        '<button class="button plain small" name="action" value="refund">Refund</button></form>'
    )
    return f'<div class="actions">{refund}{button("dispute", "Dispute", id=each["id"])}</div>'


def _events(simulator: Simulator) -> str:
    rows = []
    for each in reversed(simulator.world.store.all("event")[-2 * SHOWN :]):
        states = [delivery["state"] for delivery in each["_deliveries"]] or ["not addressed"]
        tries = sum(len(delivery["attempts"]) for delivery in each["_deliveries"])
        again = button("redeliver", "Deliver again", id=each["id"]) if each["_deliveries"] else ""
        state = " ".join(map(_state, states)) + f" <small>{tries} sent</small>"
        rows.append([moment(each["created"]), f"<code>{each['type']}</code>", state, again])
    return _table("Events", ["When", "Type", "Delivery", "Next"], rows)


def _chaos(simulator: Simulator) -> str:
    chaos = simulator.world.chaos
    ticks = "".join(
        f'<label class="tick"><input type="checkbox" name="{name}" value="1"{" checked" if on else ""}>{words}</label>'
        for name, on, words in (
            ("duplicate", chaos.duplicate, "deliver every third event twice"),
            ("shuffle", chaos.shuffle, "shuffle within two seconds"),
            ("delay", chaos.delay[1], "delay by up to five seconds"),
            ("two_ids", chaos.two_ids, "give every third event a second id"),
            ("drop", chaos.drop, "lose every tenth event"),
        )
    )
    return (
        f'<section><h2>Chaos in deliveries</h2><form method="post" action="{HOME}">{ticks}'
        '<button class="button plain small" name="action" value="chaos">Set</button></form></section>'
    )

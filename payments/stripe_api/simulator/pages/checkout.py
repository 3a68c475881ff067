"""The hosted checkout: /checkout/<session>, its 3-D Secure step, and what it says when it is over.

Fields: `method` (card, sepa), `card_number`, `card_expiry`, `iban`, `email`, `name`; a button `example` pays with its
own number. The authentication step has two buttons, `outcome` complete or fail.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from ..cards import ACCOUNTS, CARDS, UnknownNumber
from ..life import checkout
from ..life.charging import Result
from ..life.methods import Means
from ..store import Document
from ..wire import Request, Response, redirect
from . import layout

if TYPE_CHECKING:
    from ..simulator import Simulator


def answer(simulator: Simulator, request: Request) -> Response:
    _, _, id, *step = request.path.split("/")
    simulator.world.catch_up()
    with simulator.world.transaction():
        session = simulator.world.store.get("checkout.session", id)
        if session is None or step not in ([], ["authenticate"]):
            return layout.not_found()
        if session["status"] != "open":
            return over(session)
        if request.method != "POST":
            return authentication(session) if step else form(simulator, session, {})
        return _authenticated(simulator, session, request) if step else _submitted(simulator, session, request)


def _submitted(simulator: Simulator, session: Document, request: Request) -> Response:
    fields = request.form()
    try:
        means = _means(session, fields)
        email = (fields.get("email") or "").strip() or None
        if not session["customer_details"] and not (email and "@" in email):
            raise UnknownNumber("Type the email address the receipt should go to.")
        name = (fields.get("name") or "").strip() or None
        outcome = checkout.pay(simulator.world, session, means, email, name)
    except UnknownNumber as error:
        return form(simulator, session, fields, str(error))
    return _next(simulator, session, outcome, fields)


def _authenticated(simulator: Simulator, session: Document, request: Request) -> Response:
    passes = request.form().get("outcome") == "complete"
    outcome = checkout.authenticate(simulator.world, session, passes=passes)
    return _next(simulator, session, outcome, {})


def _next(simulator: Simulator, session: Document, outcome: checkout.Outcome, fields: dict[str, str]) -> Response:
    if outcome.result is Result.REQUIRES_ACTION:
        return redirect(f"/checkout/{session['id']}/authenticate")
    if outcome.result is Result.FAILED:
        return form(simulator, session, fields, outcome.message)
    return redirect(success_url(session))


def success_url(session: Document) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _means(session: Document, fields: dict[str, str]) -> Means:
    example = fields.get("example", "")
    if example in ACCOUNTS or (fields.get("method") == "sepa" and not example):
        if "sepa_debit" not in session["payment_method_types"]:
            raise UnknownNumber("Bank debits are not offered for this payment.")
        return Means(card=None, iban=example or fields.get("iban", ""))
    return Means(card=example or fields.get("card_number", ""), expires=_expiry(fields.get("card_expiry", "")))


def _expiry(text: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(?:20)?(\d{2})\s*", text)
    if not text.strip():
        return None
    if not match or not 1 <= int(match[1]) <= 12:
        raise UnknownNumber("Write the expiry date as MM/YY.")
    return int(match[1]), 2000 + int(match[2])


def heading(session: Document) -> str:
    line = session["_line_items"][0]
    total = layout.amount(session["amount_total"], session["currency"])
    return f'<p class="total"><span>{total}</span> {escape(layout.often(line["price"]))}</p>'


def form(simulator: Simulator, session: Document, fields: dict[str, str], message: str = "") -> Response:
    line = session["_line_items"][0]
    product = simulator.world.store.get("product", line["price"]["product"]) or {}
    body = [
        f"<h1>{escape(line['description'])}</h1>",
        heading(session),
        f'<p class="quiet">{escape(product["description"])}</p>' if product.get("description") else "",
        layout.problem(message),
        f'<form method="post" action="/checkout/{session["id"]}" class="stack">',
        _contact(session, fields),
        _ways(session, fields),
        _submit_text(session),
        f'<button class="button wide" type="submit">{_verb(session)} '
        f"{layout.amount(session['amount_total'], session['currency'])}</button>",
        _examples(session),
        "</form>",
        layout.link(session["cancel_url"], "Back, without paying"),
    ]
    return layout.page("Checkout", "\n".join(body), 422 if message else 200)


def _verb(session: Document) -> str:
    if session["submit_type"] == "donate":
        return "Donate"
    return "Subscribe:" if session["mode"] == "subscription" else "Pay"


def _submit_text(session: Document) -> str:
    message = (session["custom_text"]["submit"] or {}).get("message")
    return f'<p class="quiet">{escape(message)}</p>' if message else ""


def _contact(session: Document, fields: dict[str, str]) -> str:
    details = session["customer_details"]
    name = _input("name", "Name", fields.get("name", (details or {}).get("name") or ""), 'autocomplete="name"')
    if details:
        return layout.facts([("Email", escape(details["email"] or ""))]) + name
    return _input("email", "Email", fields.get("email", ""), 'type="email" autocomplete="email" required') + name


def _input(name: str, label: str, value: str, more: str = "") -> str:
    return (
        f'<p class="field"><label for="{name}">{label}</label>'
        f'<input class="input" id="{name}" name="{name}" value="{escape(value)}" {more}></p>'
    )


def _ways(session: Document, fields: dict[str, str]) -> str:
    number = fields.get("card_number", "4242 4242 4242 4242")
    card = _input("card_number", "Card number", number, 'inputmode="numeric" autocomplete="off"')
    card += _input("card_expiry", "Expires (MM/YY)", fields.get("card_expiry", ""), 'autocomplete="off" size="7"')
    if "sepa_debit" not in session["payment_method_types"]:
        return f'<fieldset><legend>Card</legend><input type="hidden" name="method" value="card">{card}</fieldset>'
    sepa = fields.get("method") == "sepa"
    iban = _input("iban", "IBAN", fields.get("iban", "DE89 3704 0044 0532 0130 00"), 'autocomplete="off"')
    choice = "".join(
        f'<label class="tick"><input type="radio" name="method" value="{value}"{" checked" if on else ""}>'
        f"<span>{label}</span></label>"
        for value, label, on in (("card", "Card", not sepa), ("sepa", "SEPA bank debit", sepa))
    )
    return (
        f"<fieldset><legend>How to pay</legend>{choice}"
        f'<div class="when-card stack">{card}</div><div class="when-sepa stack">{iban}</div></fieldset>'
    )


def _examples(session: Document) -> str:
    rows = [(card.number, _spaced(card.number), card.label) for card in CARDS.values()]
    if "sepa_debit" in session["payment_method_types"]:
        rows += [(account.iban, _spaced(account.iban), account.label) for account in ACCOUNTS.values()]
    items = "".join(
        f'<li><button class="button plain" name="example" value="{value}" formnovalidate>'
        f"<code>{shown}</code> {escape(label)}</button></li>"
        for value, shown, label in rows
    )
    summary = "<summary>Test numbers: each button pays with it</summary>"
    return f'<details>{summary}<ul class="examples">{items}</ul></details>'


def _spaced(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def authentication(session: Document, message: str = "") -> Response:
    body = f"""
<h1>Your bank asks: is this you?</h1>
{heading(session)}
{layout.problem(message)}
<p>This stands in for 3-D Secure.</p>
<form method="post" action="/checkout/{session["id"]}/authenticate" class="actions">
<button class="button" name="outcome" value="complete">Complete</button>
<button class="button plain" name="outcome" value="fail">Fail</button>
</form>
<p class="back"><a href="/checkout/{session["id"]}">Pay in another way</a></p>"""
    return layout.page("3-D Secure", body)


def over(session: Document) -> Response:
    if session["status"] == "expired":
        back = layout.link(session["cancel_url"], "Back to the site")
        return layout.page("Expired", f"<h1>This checkout has expired</h1><p>Nothing was charged.</p>{back}", 410)
    words = "has been paid" if session["payment_status"] == "paid" else "is on its way from the bank"
    body = f"<h1>This checkout is complete</h1>{heading(session)}<p>It {words}. It is not charged again.</p>"
    return layout.page("Complete", body + layout.link(success_url(session), "Continue to the site"))

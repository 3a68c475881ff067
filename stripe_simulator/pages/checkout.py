"""The hosted checkout at /checkout/<session>, its 3-D Secure step, and the page of a session that is not open.

Form fields: those of a payment method (fields.py), `email` and `name`. The 3-D Secure step has two buttons named
`outcome`: complete or fail.
"""

from __future__ import annotations

from html import escape

from stripe_simulator.life import checkout
from stripe_simulator.life.charging import Result
from stripe_simulator.pages import fields, layout
from stripe_simulator.server.wire import Request, Response, redirect
from stripe_simulator.simulator import Simulator
from stripe_simulator.world.cards import UnknownNumber
from stripe_simulator.world.store import Document


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
            return authentication(session) if step else show(simulator, session, {})
        return _authenticated(simulator, session, request) if step else _submitted(simulator, session, request)


def _submitted(simulator: Simulator, session: Document, request: Request) -> Response:
    form = request.form()
    try:
        means = fields.means(form, session["payment_method_types"])
        email = (form.get("email") or "").strip() or None
        if not session["customer_details"] and not (email and "@" in email):
            raise UnknownNumber("Type the email address the receipt should go to.")
        name = (form.get("name") or "").strip() or None
        outcome = checkout.pay(simulator.world, session, means, email, name)
    except UnknownNumber as error:
        return show(simulator, session, form, str(error))
    return _next(simulator, session, outcome, form)


def _authenticated(simulator: Simulator, session: Document, request: Request) -> Response:
    passes = request.form().get("outcome") == "complete"
    outcome = checkout.authenticate(simulator.world, session, passes=passes)
    return _next(simulator, session, outcome, {})


def _next(simulator: Simulator, session: Document, outcome: checkout.Outcome, form: dict[str, str]) -> Response:
    if outcome.result is Result.REQUIRES_ACTION:
        return redirect(f"/checkout/{session['id']}/authenticate")
    if outcome.result is Result.FAILED:
        return show(simulator, session, form, outcome.message)
    return redirect(success_url(session))


def success_url(session: Document) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def heading(session: Document) -> str:
    line = session["_line_items"][0]
    total = layout.amount(session["amount_total"], session["currency"])
    return f'<p class="total"><span>{total}</span> {escape(layout.often(line["price"]))}</p>'


def show(simulator: Simulator, session: Document, form: dict[str, str], message: str = "") -> Response:
    line = session["_line_items"][0]
    product = simulator.world.store.get("product", line["price"]["product"]) or {}
    body = [
        f"<h1>{escape(line['description'])}</h1>",
        heading(session),
        f'<p class="quiet">{escape(product["description"])}</p>' if product.get("description") else "",
        layout.problem(message),
        f'<form method="post" action="/checkout/{session["id"]}" class="stack">',
        _contact(session, form),
        fields.ways(session["payment_method_types"], form),
        _submit_text(session),
        f'<button class="button wide" type="submit">{_verb(session)} '
        f"{layout.amount(session['amount_total'], session['currency'])}{_interval(line)}</button>",
        fields.examples(session["payment_method_types"]),
        "</form>",
        layout.link(session["cancel_url"], "Back, without paying"),
    ]
    return layout.page("Checkout", "\n".join(body), 422 if message else 200)


def _verb(session: Document) -> str:
    if session["submit_type"] == "donate":
        return "Donate"
    return "Subscribe:" if session["mode"] == "subscription" else "Pay"


def _interval(line: Document) -> str:
    return f" {layout.often(line['price'])}" if line["price"]["recurring"] else ""


def _submit_text(session: Document) -> str:
    message = (session["custom_text"]["submit"] or {}).get("message")
    return f'<p class="quiet">{escape(message)}</p>' if message else ""


def _contact(session: Document, form: dict[str, str]) -> str:
    details = session["customer_details"]
    name = fields.text("name", "Name", form.get("name", (details or {}).get("name") or ""), 'autocomplete="name"')
    if details:
        return layout.facts([("Email", escape(details["email"] or ""))]) + name
    return fields.text("email", "Email", form.get("email", ""), 'type="email" autocomplete="email" required') + name


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

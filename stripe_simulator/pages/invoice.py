"""The hosted invoice at /invoices/<invoice>, where an open one can be paid, and receipts at /receipts/<charge>."""

from __future__ import annotations

from html import escape

from stripe_simulator.life import invoicing
from stripe_simulator.life.charging import Result
from stripe_simulator.pages import layout
from stripe_simulator.server.wire import Request, Response, redirect
from stripe_simulator.simulator import Simulator
from stripe_simulator.world.clock import as_datetime
from stripe_simulator.world.store import Document


def answer(simulator: Simulator, request: Request) -> Response:
    _, kind, id, *_ = request.path.split("/")
    simulator.world.catch_up()
    with simulator.world.transaction():
        document = simulator.world.store.get("invoice" if kind == "invoices" else "charge", id)
        if document is None:
            return layout.not_found()
        if kind == "receipts":
            return receipt(document)
        if request.method == "POST" and document["status"] == "open":
            result = invoicing.pay(simulator.world, document, authenticated=True)
            if result is Result.FAILED:
                return show(document, "The payment failed again. Change the card first.")
            return redirect(request.path)
        return show(document)


def show(invoice: Document, message: str = "") -> Response:
    facts = [
        ("Number", escape(invoice["number"] or "draft")),
        ("Amount", layout.amount(invoice["total"], invoice["currency"])),
        ("State", escape(invoice["status"])),
    ]
    pay = (
        f'<form method="post" action="/invoices/{invoice["id"]}">'
        '<button class="button" type="submit">Pay now, and complete 3-D Secure if the bank asks</button></form>'
    )
    body = ["<h1>Invoice</h1>", layout.problem(message), layout.facts(facts)]
    body.append(pay if invoice["status"] == "open" else "")
    return layout.page("Invoice", "\n".join(body), 422 if message else 200)


def receipt(charge: Document) -> Response:
    facts = [
        ("Amount", layout.amount(charge["amount"], charge["currency"])),
        ("Refunded", layout.amount(charge["amount_refunded"], charge["currency"])),
        ("On", as_datetime(charge["created"]).strftime("%-d %B %Y")),
        ("State", escape(charge["status"])),
    ]
    return layout.page("Receipt", "<h1>Receipt</h1>" + layout.facts(facts))

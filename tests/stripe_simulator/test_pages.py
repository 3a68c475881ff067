"""The hosted pages over HTTP: they work without script, pay once, and always say that they are simulated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
import requests

from stripe_simulator import Running, Simulator
from tests.stripe_simulator.conftest import Give, session_params


@dataclass
class Answer:
    status: int
    html: str
    location: str | None


def browse(url: str, **form: str) -> Answer:
    method = "POST" if form else "GET"
    answer = requests.request(method, url, data=form or None, timeout=5, allow_redirects=False)
    return Answer(answer.status_code, answer.text, answer.headers.get("Location"))


class Labels(HTMLParser):
    """Collects fields without a label, ids used twice, inline styles and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.fields: set[str] = set()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attrs = dict(pairs)
        if attrs.get("id"):
            self.ids.append(str(attrs["id"]))
        if tag == "label" and attrs.get("for"):
            self.labelled.add(str(attrs["for"]))
        if tag == "input" and attrs.get("type", "text") in ("text", "email") and "aria-label" not in attrs:
            self.fields.add(str(attrs.get("id")))
        if tag in ("script", "style") or "style" in attrs or any(name.startswith("on") for name in attrs):
            self.bad.append(tag)


def is_sound(html: str) -> bool:
    page = Labels()
    page.feed(html)
    assert not page.bad
    assert page.fields <= page.labelled
    assert len(page.ids) == len(set(page.ids))
    assert "Simulated: no money moves" in html
    return True


def test_paying_on_the_page(give: Give) -> None:
    session = give.session("subscription", amount=1250)
    shown = browse(session.url)
    assert is_sound(shown.html)
    assert "12.50 EUR</span> a month" in shown.html
    assert 'href="http://site.example/back/"' in shown.html
    form = {"method": "card", "card_number": "4242 4242 4242 4242", "card_expiry": "04/31", "name": "Ada"}
    assert "email address" in browse(session.url, **form).html
    paid = browse(session.url, email="ada@example.org", **form)
    assert (paid.status, paid.location) == (303, f"http://site.example/return/{session.id}/")
    done = give.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription.default_payment_method"]})
    assert (done.customer_details.email, done.customer_details.name) == ("ada@example.org", "Ada")
    assert done.subscription.default_payment_method.card.exp_year == 2031
    again = browse(session.url, email="ada@example.org", **form)
    assert again.status == 200
    assert "not charged again" in again.html
    assert len(give.client.v1.charges.list({}).data) == 1


def test_a_decline_stays_on_the_page(give: Give) -> None:
    session = give.session(customer_email="ada@example.org")
    assert 'name="email"' not in browse(session.url).html
    declined = browse(session.url, card_number="4000000000000002")
    assert declined.status == 422
    assert 'role="alert"' in declined.html
    assert "Your card was declined." in declined.html
    assert "never type a real card" in browse(session.url, card_number="4111111111111111").html.lower()
    assert browse(session.url, example="5555555555554444").status == 303


@pytest.mark.parametrize("outcome", ["complete", "fail"])
def test_3d_secure_page(give: Give, running: Running, outcome: str) -> None:
    session = give.session(customer_email="ada@example.org")
    asked = browse(session.url, card_number="4000 0025 0000 3155")
    assert asked.location == f"/checkout/{session.id}/authenticate"
    step = running.url + asked.location
    assert is_sound(browse(step).html)
    answer = browse(step, outcome=outcome)
    assert answer.status == (303 if outcome == "complete" else 422)


def test_a_bank_debit_on_the_page(give: Give) -> None:
    session = give.session(customer_email="ada@example.org")
    assert browse(session.url, method="sepa", iban="DE89 3704 0044 0532 0130 00").status == 303
    assert "on its way" in browse(session.url).html
    cards_only = give.session(customer_email="a@example.org", allowed_payment_method_types=["card"])
    assert "IBAN" not in browse(cards_only.url).html
    assert browse(cards_only.url, method="sepa", iban="DE89370400440532013000").status == 422


def test_expired_and_unknown_sessions(give: Give, sim: Simulator, running: Running) -> None:
    session = give.session()
    sim.expire(session)
    expired = browse(session.url)
    assert (expired.status, "has expired" in expired.html) == (410, True)
    assert browse(running.url + "/checkout/cs_test_none").status == 404


def test_text_from_outside_is_escaped(give: Give) -> None:
    [line] = session_params()["line_items"]
    line["price_data"]["product_data"] = {"name": "<script>alert(1)</script>", "description": '"><img src=x>'}
    session = give.session(line_items=[line], cancel_url='http://x/"><b>')
    html = browse(session.url).html
    assert "<script>" not in html
    assert "<img" not in html
    assert "<b>" not in html


def test_the_portal(give: Give, running: Running) -> None:
    client, subscription = give.client, give.subscription(card="4000000000000341")
    session = client.v1.billing_portal.sessions.create(
        {"customer": subscription.customer, "return_url": "http://site.example/me/"}
    )
    html = browse(session.url).html
    assert is_sound(html)
    assert 'href="http://site.example/me/"' in html
    browse(session.url, action="cancel", subscription=subscription.id)
    assert client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end
    assert is_sound(browse(session.url).html)
    browse(session.url, action="keep", subscription=subscription.id)
    assert not client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end
    running.simulator.advance(days=32)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    assert browse(session.url, action="method", card_number="1234").status == 422
    browse(session.url, action="method", card_number="5555555555554444")
    assert client.v1.subscriptions.retrieve(subscription.id).status == "past_due", "the portal tries no payment again"
    invoice = re.search(r'href="(/invoices/in_\w+)"', browse(session.url).html)
    assert invoice
    assert is_sound(browse(running.url + invoice[1]).html)


def test_the_portal_keeps_to_its_configuration(give: Give) -> None:
    subscription, other = give.subscription(), give.subscription()
    features = {"subscription_cancel": {"enabled": False}, "payment_method_update": {"enabled": True}}
    configuration = give.client.v1.billing_portal.configurations.create({"features": features})
    session = give.client.v1.billing_portal.sessions.create(
        {"customer": subscription.customer, "configuration": configuration.id}
    )
    for each in (subscription, other):
        browse(session.url, action="cancel", subscription=each.id)
        assert not give.client.v1.subscriptions.retrieve(each.id).cancel_at_period_end


def test_a_portal_flow_may_lead_straight_back(give: Give) -> None:
    subscription = give.subscription()
    flow = {
        "type": "payment_method_update",
        "after_completion": {"type": "redirect", "redirect": {"return_url": "http://site.example/done/"}},
    }
    session = give.client.v1.billing_portal.sessions.create({"customer": subscription.customer, "flow_data": flow})
    assert browse(session.url, action="method", card_number="4242424242424242").location == "http://site.example/done/"


def test_the_hosted_invoice_takes_a_late_payment(give: Give, sim: Simulator) -> None:
    subscription = give.subscription(card="4000002760003184")
    sim.advance(days=32)
    invoice = give.client.v1.invoices.list({"subscription": subscription.id}).data[0]
    assert is_sound(browse(invoice.hosted_invoice_url).html)
    assert browse(invoice.hosted_invoice_url, pay="1").status == 303
    assert give.client.v1.invoices.retrieve(invoice.id).status == "paid"
    charge = give.client.v1.charges.list({}).data[0]
    assert is_sound(browse(charge.receipt_url).html)


def test_the_stylesheet_is_its_own(running: Running) -> None:
    assert "prefers-color-scheme: dark" in browse(running.url + "/_simulator/style.css").html

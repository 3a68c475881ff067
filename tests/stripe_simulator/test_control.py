"""The control routes and the control page: JSON for tools, buttons for people, nothing for strangers."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from stripe_simulator import Running, Simulator
from tests.stripe_simulator.conftest import Give, Receiver, client_of
from tests.stripe_simulator.test_pages import browse, is_sound


def control(running: Running, name: str, headers: dict[str, str] | None = None, **arguments: Any) -> requests.Response:
    return requests.post(f"{running.url}/_simulator/{name}", json=arguments, headers=headers, timeout=5)


def ok(running: Running, name: str, **arguments: Any) -> dict[str, Any]:
    answer = control(running, name, **arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_life_by_remote_control(give: Give, running: Running, receiver: Receiver) -> None:
    session = give.session("subscription")
    assert ok(running, "pay", session=session.id, email="a@example.org")["result"] == "succeeded"
    moved = ok(running, "clock", days=32)
    assert moved["flushed"]
    assert moved["date"] > "2026"
    assert receiver.types.count("invoice.paid") == 2
    charge = give.client.v1.charges.list({}).data[0]
    assert ok(running, "refund", payment=charge.id, amount=100)["amount"] == 100
    dispute = ok(running, "dispute", payment=give.client.v1.charges.list({}).data[1].id)
    ok(running, "close_dispute", dispute=dispute["id"], won=True)
    ok(running, "fail", kind="500", path="customers")
    ok(running, "clear_faults")
    ok(running, "chaos", duplicate=1.0, delay=[0.0, 0.01])
    assert len(give.client.v1.customers.list({}).data) == 1
    assert "eur" in requests.get(f"{running.url}/_simulator/snapshot", timeout=5).json()


def test_who_brings_events_himself_is_told_when_stripe_acts_next(start) -> None:
    """The notice of a bill, a late fee and a payout are nothing that anybody need wait for."""
    running = start(hold=True, late_fees=True, payout_days=2, webhook_url="http://site.example/")
    assert ok(running, "hand_over") == {"deliveries": [], "next_due": None}
    give = Give(client_of(running), running.simulator)
    renewal = give.subscription()["items"].data[0].current_period_end
    handed = ok(running, "hand_over")
    assert handed["next_due"] == renewal
    rest = ok(running, "hand_over", taken=[each["id"] for each in handed["deliveries"]])
    assert rest["deliveries"] == []
    assert ok(running, "clock", days=20, flush=0)["next_due"] == renewal
    assert {each["type"] for each in ok(running, "hand_over")["deliveries"]} >= {"charge.updated", "payout.created"}
    renewed = ok(running, "hand_over", to=renewal + 3660)
    assert "invoice.paid" in {each["type"] for each in renewed["deliveries"]}
    assert renewed["next_due"] > renewal


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Referer": "https://evil.example/x"},
        {"Host": "evil.example"},
        {"Origin": "null"},
    ],
)
def test_strangers_are_refused(running: Running, headers: dict[str, str]) -> None:
    for name in ("clock", ""):
        assert control(running, name, headers, days=1).status_code == 403


def test_nonsense_is_refused(running: Running) -> None:
    for name, arguments, status in (
        ("clock", {"weeks": 1}, 400),
        ("clock", {"to": "2001-01-01"}, 400),
        ("pay", {"session": "cs_none"}, 404),
        ("fail", {"kind": "meteor"}, 400),
        ("explode", {}, 404),
    ):
        assert control(running, name, **arguments).status_code == status


def press(running: Running, action: str, **fields: str) -> None:
    answer = browse(f"{running.url}/_simulator/", action=action, **fields)
    assert (answer.status, answer.location) == (303, "/_simulator/")


def test_the_page_moves_both_dates_a_day_at_a_time(start, receiver: Receiver) -> None:
    seen: list[tuple[int, int, int]] = []

    def remember(days: int) -> None:
        seen.append((days, sim.now(), len(sim.outbox())))

    running = start(post=receiver, on_advance=remember)
    sim = running.simulator
    begun = sim.now()
    press(running, "advance", to="7")
    assert sim.journey.wait(5)
    assert [(days, pending) for days, _, pending in seen] == [(1, 0)] * 7
    assert [round((now - begun) / 86_400) for _, now, _ in seen] == list(range(7))
    assert browse(f"{running.url}/", x="1").location == "/_simulator/"


def test_where_the_clock_can_go(start) -> None:
    running = start()
    sim, give = running.simulator, Give(client_of(running), running.simulator)
    assert browse(f"{running.url}/_simulator/", action="advance", to="renewal").status == 422
    yearly = give.subscription(interval="year")
    end = yearly["items"].data[0].current_period_end
    press(running, "advance", to="reminder")
    assert sim.journey.wait(20)
    assert 29 <= (end - sim.now()) / 86_400 <= 30.1
    press(running, "advance", to="eve")
    assert sim.journey.wait(5)
    assert 0 < end - sim.now() <= 86_400 + 5
    press(running, "advance", to="renewal")
    assert sim.journey.wait(5)
    assert sim.now() >= end
    assert len(give.client.v1.invoices.list({"subscription": yearly.id}).data) == 2


def test_a_failing_daily_job_is_shown(start) -> None:
    def fail(days: int) -> None:
        raise RuntimeError("the ledger is inconsistent")

    running = start(on_advance=fail)
    press(running, "advance", to="1")
    assert running.simulator.journey.wait(5)
    assert "the ledger is inconsistent" in browse(f"{running.url}/_simulator/").html


def test_the_buttons(give: Give, sim: Simulator, running: Running, receiver: Receiver) -> None:
    give(amount=1000)
    debit, refused = give(iban="DE89370400440532013000"), give(iban="DE89370400440532013000")
    monthly = give.subscription()
    html = browse(f"{running.url}/_simulator/").html
    assert is_sound(html)
    for words in ("Refund", "Dispute", "Bank pays", "Bank refuses", "Let renewals fail", "+1 month", "Deliver again"):
        assert words in html
    charges = {charge.payment_intent: charge.id for charge in give.client.v1.charges.list({}).data}
    card = next(charge.id for charge in give.client.v1.charges.list({}).data if charge.paid and charge.amount == 1000)
    press(running, "refund", id=card, amount="2.50")
    assert give.client.v1.charges.retrieve(card).amount_refunded == 250
    assert browse(f"{running.url}/_simulator/", action="refund", id=card, amount="99").status == 422
    assert browse(f"{running.url}/_simulator/", action="refund", id=card, amount="x").status == 422
    press(running, "settle", id=charges[debit.payment_intent])
    press(running, "refuse", id=charges[refused.payment_intent])
    assert give.client.v1.checkout.sessions.retrieve(debit.id).payment_status == "paid"
    press(running, "dispute", id=card)
    press(running, "won", id=give.client.v1.disputes.list({}).data[0].id)
    press(running, "swap", id=monthly.id, number="4000000000000341")
    press(running, "chaos", duplicate="1")
    assert sim.world.chaos.duplicate
    press(running, "chaos")
    press(running, "cancel", id=monthly.id)
    assert sim.flush()
    press(running, "redeliver", id=receiver.events[0]["id"])
    assert receiver.events[-1]["id"] == receiver.events[0]["id"]
    assert is_sound(browse(f"{running.url}/_simulator/").html)

"""What staff agree on in the dashboard is billed as Stripe documents it: items, discounts, credit, days, payments."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_simulator import Simulator
from stripe_simulator.world.clock import DAY
from tests.stripe_simulator.conftest import Give
from tests.stripe_simulator.shapes import problems


def bill(sim: Simulator, subscription: str) -> dict[str, Any]:
    """The latest invoice, with its payments, in nothing but fields that the SDK knows."""
    found = sim.get(sim.get(subscription)["latest_invoice"], ["payments"])
    assert problems(found) == []
    return found


def test_items_discount_and_prorations_are_lines_and_totals(give: Give, sim: Simulator) -> None:
    agreed = give.subscription().id
    price = sim.get(agreed)["items"]["data"][0]["price"]["unit_amount"]
    sim.add_item(agreed, 500)
    sim.discount(agreed, 50)
    sim.prorate(agreed, -100)
    sim.advance(days=32)
    made = bill(sim, agreed)
    assert [line["amount"] for line in made["lines"]["data"]] == [price, 500, -100]
    assert [line["discount_amounts"] != [] for line in made["lines"]["data"]] == [True, True, False]
    assert (made["subtotal"], made["total"]) == (price + 400, price + 400 - (price + 500) // 2)
    assert (made["amount_paid"], made["status"]) == (made["total"], "paid")
    assert problems(sim.get(agreed, ["discounts"])) == []
    sim.advance(days=31)
    assert len(bill(sim, agreed)["lines"]["data"]) == 2, "prorations are billed once"


@pytest.mark.parametrize(("credit", "due"), [(400, -400), (-30, 30)])
def test_credit_pays_a_part_and_a_debt_is_added(give: Give, sim: Simulator, credit: int, due: int) -> None:
    agreed = give.subscription()
    sim.credit(agreed.customer, credit)
    preview = give.client.v1.invoices.create_preview({"subscription": agreed.id})
    sim.advance(days=32)
    made = bill(sim, agreed.id)
    assert made["amount_paid"] == made["total"] + due == preview.amount_due
    assert (made["starting_balance"], made["ending_balance"]) == (-credit, 0)
    assert sim.get(agreed.customer)["balance"] == 0


def test_a_price_of_fractions_is_rounded_on_the_bill(give: Give, sim: Simulator) -> None:
    agreed = give.subscription().id
    sim.set_price(agreed, None, decimal="1000.5")
    sim.advance(days=32)
    assert bill(sim, agreed)["total"] == 1001


def test_a_moved_billing_day_is_a_trial_that_ends_with_a_bill(give: Give, sim: Simulator) -> None:
    agreed = give.subscription().id
    sim.move_billing_day(agreed, 45)
    moved = sim.get(agreed)
    assert problems(moved) == []
    assert (moved["status"], moved["trial_end"]) == ("trialing", moved["items"]["data"][0]["current_period_end"])
    first = moved["latest_invoice"]
    sim.advance(days=44)
    assert sim.get(agreed)["latest_invoice"] == first
    sim.advance(days=2)
    assert sim.get(agreed)["status"] == "active"
    line = bill(sim, agreed)["lines"]["data"][0]
    assert line["period"]["start"] == moved["trial_end"]
    assert 28 * DAY <= line["period"]["end"] - line["period"]["start"] <= 31 * DAY


def test_a_second_payment_pays_and_the_default_one_is_canceled(give: Give, sim: Simulator) -> None:
    agreed = give.subscription()
    sim.set_payment_method(agreed.customer, "4000000000000341")
    sim.advance(days=32)
    sim.pay_by_another(sim.get(agreed.id)["latest_invoice"])
    made = bill(sim, agreed.id)
    rows = {(row["is_default"], row["status"]) for row in made["payments"]["data"]}
    assert rows == {(True, "canceled"), (False, "paid")}
    assert (made["status"], sim.get(agreed.id)["status"]) == ("paid", "active")


def test_objects_of_other_software(give: Give, sim: Simulator) -> None:
    gift = give("payment", customer_creation="always")
    session = sim.foreign_session(gift.customer)
    refund = sim.foreign_refund(sim.refund(gift, 100))
    assert (session["mode"], session["currency"], session["amount_total"]) == ("setup", None, None)
    assert (refund["charge"], refund["payment_intent"], refund["status"]) == (None, None, None)
    assert problems(session) == problems(refund) == []

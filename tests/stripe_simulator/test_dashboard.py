"""What staff agree on in the dashboard is billed as Stripe documents it: items, discounts, credit, days, payments."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_simulator import Simulator
from stripe_simulator.world.clock import DAY
from stripe_simulator.world.errors import StripeRefusal
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


def test_an_invoice_that_is_not_open_is_paid_by_no_other_payment(give: Give, sim: Simulator) -> None:
    with pytest.raises(StripeRefusal):
        sim.pay_by_another(sim.get(give.subscription().id)["latest_invoice"])


def test_the_period_in_which_it_ends_is_billed_in_part(give: Give, sim: Simulator) -> None:
    agreed = give.subscription()
    item = sim.get(agreed.id)["items"]["data"][0]
    price, start = item["price"]["unit_amount"], item["current_period_end"]
    give.client.v1.subscriptions.update(agreed.id, {"cancel_at": start + 10 * DAY})
    preview = give.client.v1.invoices.create_preview({"subscription": agreed.id})
    sim.advance(days=32)
    made = bill(sim, agreed.id)
    [line] = made["lines"]["data"]
    assert line["period"] == {"start": start, "end": start + 10 * DAY}
    assert price // 4 < made["amount_paid"] == preview.amount_due < price // 2
    sim.advance(days=12)
    assert sim.get(agreed.id)["status"] == "canceled"


def test_a_draft_shows_what_it_takes_with_the_customer_s_balance(give: Give, sim: Simulator) -> None:
    agreed = give.subscription()
    sim.credit(agreed.customer, 400)
    sim.advance(seconds=sim.next_due() - sim.now() + 60)
    draft = bill(sim, agreed.id)
    assert (draft["status"], draft["amount_due"], draft["ending_balance"]) == ("draft", draft["total"] - 400, None)
    sim.advance(days=1)
    assert bill(sim, agreed.id)["amount_paid"] == draft["amount_due"]


def test_an_event_says_which_items_and_days_were_before(give: Give, sim: Simulator) -> None:
    agreed = give.subscription().id
    before = sim.get(agreed)
    sim.set_price(agreed, 700)
    sim.add_item(agreed, 300)
    sim.move_billing_day(agreed, 5)
    changes = [event["data"]["previous_attributes"] for event in sim.events("customer.subscription.updated")][-3:]
    assert changes[0]["items"]["data"][0]["price"] == before["items"]["data"][0]["price"]
    assert len(changes[1]["items"]["data"]) == 1
    assert {"trial_end", "status"} <= changes[2].keys()


def test_nothing_is_agreed_on_with_a_subscription_that_has_ended(give: Give, sim: Simulator) -> None:
    agreed = give.subscription().id
    sim.cancel(agreed)
    for act in (sim.set_price, sim.add_item, sim.discount, sim.prorate, sim.move_billing_day):
        with pytest.raises(StripeRefusal):
            act(agreed, 50)


def test_items_of_different_rhythms_are_not_simulated(give: Give, sim: Simulator) -> None:
    agreed = give.subscription().id
    sim.add_item(agreed, 300)
    with pytest.raises(StripeRefusal, match="different rhythms"):
        sim.set_price(agreed, 700, "week")


def test_another_rhythm_takes_nothing_while_collection_is_paused(give: Give, sim: Simulator) -> None:
    agreed = give.subscription()
    sim.credit(agreed.customer, 5000)
    give.client.v1.subscriptions.update(agreed.id, {"pause_collection": {"behavior": "void"}})
    sim.set_price(agreed.id, 700, "week")
    assert bill(sim, agreed.id)["status"] == "void"
    assert sim.get(agreed.customer)["balance"] == -5000, "no credit is used in a pause"


def test_objects_of_other_software(give: Give, sim: Simulator) -> None:
    gift = give("payment", customer_creation="always")
    session = sim.foreign_session(gift.customer)
    refund = sim.foreign_refund(sim.refund(gift, 100))
    assert (session["mode"], session["currency"], session["amount_total"]) == ("setup", None, None)
    assert (refund["charge"], refund["payment_intent"], refund["status"]) == (None, None, None)
    assert problems(session) == problems(refund) == []

"""The actions behind the buttons of the control page: one small function per action, by the name in the form."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from stripe_simulator.life import subscriptions
from stripe_simulator.simulator import Simulator
from stripe_simulator.world.cards import ACCOUNTS
from stripe_simulator.world.chaos import Chaos
from stripe_simulator.world.clock import DAY, add_months, as_datetime
from stripe_simulator.world.money import exponent

REMINDER_DAYS = 30
RUNNING = ("active", "past_due", "paused", "trialing")


def _next_renewal(simulator: Simulator, interval: str | None = None) -> int | None:
    """Return when the next running subscription (with this interval) renews; None without one."""
    ends = [
        subscriptions.period_end(each)
        for each in simulator.world.store.all("subscription")
        if each["status"] in RUNNING
        and interval in (None, subscriptions.item_of(each)["price"]["recurring"]["interval"])
    ]
    return min(ends, default=None)


def yearly_renewal(simulator: Simulator) -> int | None:
    """Return when the next yearly subscription renews; None if it is less than REMINDER_DAYS away, or without one."""
    end = _next_renewal(simulator, "year")
    return end if end and end - REMINDER_DAYS * DAY > simulator.now() else None


def _days_until(simulator: Simulator, timestamp: float | None) -> int:
    """Return the days until then, rounded up so that the time is reached. Raises ValueError for None."""
    if timestamp is None:
        raise ValueError("No subscription is running.")
    return max(0, -int(-(timestamp - simulator.now()) // DAY))


def _advance(simulator: Simulator, form: dict[str, str]) -> None:
    to, now = form.get("to", ""), as_datetime(simulator.now())
    if to in ("month", "year"):
        days = (add_months(now, 12 if to == "year" else 1) - now).days
    elif to == "renewal":
        days = _days_until(simulator, _next_renewal(simulator))
    elif to == "eve":
        days = _days_until(simulator, _next_renewal(simulator)) - 1
    elif to == "reminder":
        days = _days_until(simulator, yearly_renewal(simulator)) - REMINDER_DAYS
    else:
        days = int(to)
    if days < 1:
        raise ValueError("That moment is less than a day away.")
    simulator.journey.start(days)


def _refund(simulator: Simulator, form: dict[str, str]) -> None:
    charge = simulator.get(form["id"])
    amount = Decimal(form["amount"].replace(",", ".")).scaleb(exponent(charge["currency"]))
    if amount != int(amount):
        raise ValueError("This currency has fewer decimals than that.")
    simulator.refund(form["id"], int(amount))


def _swap(simulator: Simulator, form: dict[str, str]) -> None:
    customer, number = simulator.get(form["id"])["customer"], form["number"]
    simulator.set_payment_method(customer, number, iban=number if number in ACCOUNTS else None)


def _set_chaos(simulator: Simulator, form: dict[str, str]) -> None:
    simulator.world.chaos = Chaos(
        duplicate=0.33 if "duplicate" in form else 0.0,
        shuffle=2.0 if "shuffle" in form else 0.0,
        delay=(0.0, 5.0) if "delay" in form else (0.0, 0.0),
        two_ids=0.33 if "two_ids" in form else 0.0,
        drop=0.1 if "drop" in form else 0.0,
        seed=simulator.now(),
    )


ACTIONS: dict[str, Callable[[Simulator, dict[str, str]], object]] = {
    "advance": _advance,
    "stop": lambda simulator, form: simulator.journey.stop(),
    "swap": _swap,
    "cancel": lambda simulator, form: simulator.cancel(form["id"]),
    "refund": _refund,
    "dispute": lambda simulator, form: simulator.dispute(form["id"]),
    "won": lambda simulator, form: simulator.close_dispute(form["id"], won=True),
    "lost": lambda simulator, form: simulator.close_dispute(form["id"], won=False),
    "settle": lambda simulator, form: simulator.settle_sepa(form["id"], succeeds=True),
    "refuse": lambda simulator, form: simulator.settle_sepa(form["id"], succeeds=False),
    "redeliver": lambda simulator, form: simulator.redeliver(form["id"]),
    "chaos": _set_chaos,
}

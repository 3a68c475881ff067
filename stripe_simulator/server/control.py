"""Control a simulator over HTTP, from outside its process: POST JSON to /_simulator/<name>, get JSON.

Only requests from this machine are answered: another Host, Origin or Referer than this server is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from stripe_simulator.life.checkout import NotOpen
from stripe_simulator.server.wire import Request, Response, as_json
from stripe_simulator.simulator import Simulator
from stripe_simulator.world.cards import UnknownNumber
from stripe_simulator.world.chaos import Chaos
from stripe_simulator.world.clock import as_datetime
from stripe_simulator.world.errors import StripeRefusal

LOOPBACK = ("127.0.0.1", "localhost", "::1")
Arguments = dict[str, Any]


def refused(request: Request) -> Response | None:
    """Return the refusal of a request to another host name, or from a page of another site; None if it is allowed."""
    host = request.headers.get("host", "")
    if urlsplit("//" + host).hostname not in LOOPBACK:
        return as_json(403, {"error": {"message": "The simulator's controls answer only on this machine."}})
    source = request.headers.get("origin") or request.headers.get("referer")
    if source and urlsplit(source).netloc != host:
        return as_json(403, {"error": {"message": "The simulator's controls do not answer to other sites."}})
    return None


def answer(simulator: Simulator, request: Request) -> Response:
    refusal = refused(request)
    if refusal is not None:
        return refusal
    name = request.path.removeprefix("/_simulator/").strip("/")
    if request.method == "GET" and name in READS:
        return as_json(200, READS[name](simulator))
    if request.method != "POST" or name not in ACTIONS:
        return as_json(404, {"error": {"message": f"No such control: {request.method} {name}"}})
    try:
        return as_json(200, ACTIONS[name](simulator, **_arguments(request)))
    except StripeRefusal as error:
        return as_json(error.status, error.body())
    except (NotOpen, UnknownNumber, LookupError, TypeError, ValueError) as error:
        return as_json(400, {"error": {"message": f"{type(error).__name__}: {error}"}})


def _arguments(request: Request) -> Arguments:
    arguments = json.loads(request.body or b"{}")
    if not isinstance(arguments, dict):
        raise ValueError("the body is a JSON object of arguments")
    return arguments


def time_now(simulator: Simulator) -> Arguments:
    now = simulator.now()
    return {
        "now": now,
        "date": as_datetime(now).date().isoformat(),
        "pending": len(simulator.deliverer.outbox()),
        "next_due": simulator.next_due(),
    }


def clock(simulator: Simulator, flush: float = 10.0, **move: Any) -> Arguments:
    """Move Stripe's clock, not the site's, and wait up to `flush` seconds for the deliveries; 0 does not wait."""
    simulator.advance(**move)
    delivered = simulator.flush(flush) if flush else None
    return {**time_now(simulator), "flushed": delivered}


def pay(simulator: Simulator, session: str, **how: Any) -> Arguments:
    outcome = simulator.pay(session, **how)
    return {"result": outcome.result, "message": outcome.message}


def authenticate(simulator: Simulator, session: str, passes: bool = True) -> Arguments:
    outcome = simulator.authenticate(session, passes)
    return {"result": outcome.result, "message": outcome.message}


def chaos(simulator: Simulator, **given: Any) -> Arguments:
    if "delay" in given:
        given["delay"] = tuple(given["delay"])
    simulator.world.chaos = Chaos(**given)
    return {"chaos": repr(simulator.world.chaos)}


def hand_over(simulator: Simulator, taken: Sequence[str] = (), to: float | None = None) -> Arguments:
    """Move the clock first if `to` is given; see Simulator.hand_over."""
    if to is not None:
        simulator.advance(to=to)
    return {"deliveries": simulator.hand_over(taken), "next_due": simulator.next_due()}


def requests(simulator: Simulator) -> Arguments:
    return {"requests": [asdict(logged) for logged in simulator.requests]}


def _calling(method: str) -> Callable[..., Arguments]:
    """Return a control that calls the simulator's method of this name."""

    def call(simulator: Simulator, **arguments: Any) -> Arguments:
        result = getattr(simulator, method)(**arguments)
        return result if isinstance(result, dict) else {"result": result}

    return call


READS: dict[str, Callable[[Simulator], Arguments]] = {
    "clock": time_now,
    "requests": requests,
    "snapshot": lambda simulator: simulator.snapshot(),
    "outbox": lambda simulator: {"events": simulator.outbox()},
}
ACTIONS: dict[str, Callable[..., Arguments]] = {
    "clock": clock,
    "pay": pay,
    "authenticate": authenticate,
    "chaos": chaos,
    "hand_over": hand_over,
    **{
        name: _calling(name)
        for name in (
            "answer_dispute",
            "begin",
            "break_invoices",
            "cancel",
            "cancel_payout",
            "clear_faults",
            "close_dispute",
            "complete",
            "deliver",
            "dispute",
            "expire",
            "fail",
            "fail_payout",
            "fail_refund",
            "flush",
            "hold",
            "mend_invoices",
            "pay_invoice",
            "payout",
            "redeliver",
            "refund",
            "release",
            "revoke_mandate",
            "set_payment_method",
            "settle_sepa",
            "update_card",
        )
    },
}

"""Answer one API request: check key and version, apply faults, idempotency and parameters, call the endpoint, log."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from stripe_simulator.api import (
    account,
    customers,
    events,
    invoices,
    method_configurations,
    payments,
    portal,
    products,
    routing,
    sessions,
    subscriptions,
)
from stripe_simulator.server.faults import Fault, Faults
from stripe_simulator.server.forms import coerce, decode, only
from stripe_simulator.server.idempotency import Keys
from stripe_simulator.server.wire import Dropped, Request, Response, as_json
from stripe_simulator.world.errors import Declined, StripeRefusal, not_simulated
from stripe_simulator.world.rendering import render
from stripe_simulator.world.world import World

ENDPOINTS = (
    account,
    customers,
    events,
    invoices,
    method_configurations,
    payments,
    portal,
    products,
    sessions,
    subscriptions,
)
REMEMBERED = 5_000

# The permission that a simulated restricted key has not.
PERMISSION = "rak_subscription_read"


@dataclass(frozen=True)
class Logged:
    """A request and its answer's status; 0 if the connection was closed without an answer."""

    id: str
    at: int
    method: str
    path: str
    params: dict[str, Any]
    idempotency_key: str | None
    status: int
    replayed: bool = False


class Api:
    """The API under /v1/, with the log of its requests and the planned faults."""

    def __init__(self, world: World, secret_key: str) -> None:
        self._world = world
        self._secret_key = secret_key
        self._keys = Keys(world)
        self.faults = Faults()
        self.log: deque[Logged] = deque(maxlen=REMEMBERED)

    def answer(self, request: Request) -> Response:
        """Return the answer to a request, and log it. Raises Dropped to close the connection without an answer."""
        id, key = self._world.new_id("req", 14), request.headers.get("idempotency-key")
        fault = self.faults.take(request.method, request.path)
        response: Response | None = None
        try:
            response = self._answer(request, id, key, fault)
            response.headers.append(("Request-Id", id))
            if key and request.method == "POST":
                response.headers.append(("Idempotency-Key", key))
            return response
        finally:
            self._remember(request, id, key, response)

    def _answer(self, request: Request, id: str, key: str | None, fault: Fault | None) -> Response:
        try:
            self._admit(request)
            _before(fault)
            response = self._once(request, id, key, fault) if key and request.method == "POST" else None
            response = response or self._execute(request, id, key, fault, keep=False)
        except StripeRefusal as refusal:
            response = as_json(refusal.status, refusal.body())
        return _after(fault, response)

    def _admit(self, request: Request) -> None:
        """Check the API key and the API version. Raises StripeRefusal."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            token = _user_of(token)
        if not hmac.compare_digest(token.encode(), self._secret_key.encode()):
            message = "Invalid API Key provided. The simulator knows only its own." if token else "No API key provided."
            raise StripeRefusal(message, status=401)
        version = request.headers.get("stripe-version", self._world.policy.api_version)
        if version != self._world.policy.api_version:
            raise not_simulated(f"API version {version}, only {self._world.policy.api_version}", "Stripe-Version")

    def _once(self, request: Request, id: str, key: str, fault: Fault | None) -> Response:
        replay = self._keys.begin(key, request)
        if replay is not None:
            return replay
        try:
            return self._execute(request, id, key, fault, keep=True)
        finally:
            self._keys.release(key)

    def _execute(self, request: Request, id: str, key: str | None, fault: Fault | None, *, keep: bool) -> Response:
        """Run the endpoint. With `keep`, effects and stored answer are one transaction, which no crash can separate."""
        self._world.catch_up()
        route, params, path = self._read(request)
        if fault and fault.kind == "slow_work":
            time.sleep(fault.seconds)
        try:
            with self._world.transaction(), self._world.requested_by(id, key):
                response = self._run(route, params, path, fault)
                if keep and key:
                    self._keys.keep(key, request, response)
        except StripeRefusal as refusal:
            response = as_json(refusal.status, refusal.body())
            if keep and key:
                with self._world.transaction():
                    self._keys.keep(key, request, response)
        return response

    def _read(self, request: Request) -> tuple[routing.Route, dict[str, Any], dict[str, str]]:
        found = routing.find(request.method, request.path)
        if found is None:
            raise not_simulated(f"{request.method} {request.path}", status=404)
        route, path = found
        text = request.body.decode("utf-8", "replace") if request.method == "POST" else request.query
        params = coerce(decode(text), route.params)
        if route.known is not None:
            only(params, route.known)
        return route, params, path

    def _run(self, route: routing.Route, params: dict[str, Any], path: dict[str, str], fault: Fault | None) -> Response:
        if fault and fault.kind == "500":
            return broken()
        if fault and fault.kind == "403_kept":
            raise _not_permitted()
        try:
            document = route.handle(self._world, params, **path)
        except Declined as declined:
            return as_json(declined.status, declined.body())
        if document.get("object") != "list":
            document = render(self._world, document, params.get("expand", ()))
        if fault and fault.kind == "commit_then_500":
            return broken()
        return as_json(200, document)

    def _remember(self, request: Request, id: str, key: str | None, response: Response | None) -> None:
        text = request.body.decode("utf-8", "replace") if request.method == "POST" else request.query
        try:
            params = decode(text)
        except StripeRefusal:
            params = {}
        replayed = response is not None and ("Idempotent-Replayed", "true") in response.headers
        status = response.status if response else 0
        self.log.append(Logged(id, self._world.now(), request.method, request.path, params, key, status, replayed))


def _user_of(token: str) -> str:
    """Return the user of basic authentication, which is the key, as `curl -u` sends it; empty if malformed."""
    try:
        return base64.b64decode(token).decode("utf-8", "replace").partition(":")[0]
    except binascii.Error:
        return ""


def broken() -> Response:
    message = "An unknown error occurred (simulated)."
    return as_json(500, {"error": {"message": message, "type": "api_error"}})


def _not_permitted() -> StripeRefusal:
    message = f"Having the '{PERMISSION}' permission would allow this request to continue (simulated)."
    return StripeRefusal(message, status=403)


def _before(fault: Fault | None) -> None:
    """Apply a fault that comes before the request is executed. Raises Dropped, StripeRefusal."""
    if fault is None:
        return
    if fault.kind == "400":
        raise StripeRefusal("Refused (simulated).", code=fault.code or None, param=fault.param or None)
    if fault.kind == "reused":
        raise StripeRefusal("This key was used with other parameters (simulated).", kind="idempotency_error")
    if fault.kind == "401":
        raise StripeRefusal("Expired API Key provided (simulated).", status=401)
    if fault.kind == "403":
        raise _not_permitted()
    if fault.kind == "404":
        message = "No such object; a similar object exists in another mode (simulated)."
        raise StripeRefusal(message, status=404, code="resource_missing", param="id")
    if fault.kind == "429":
        raise StripeRefusal("Request rate limit exceeded (simulated).", status=429, code="rate_limit")
    if fault.kind == "slow":
        time.sleep(fault.seconds)
    if fault.kind == "drop":
        raise Dropped


def _after(fault: Fault | None, response: Response) -> Response:
    """Apply a fault that comes after the request was executed. Raises Dropped."""
    if fault is None:
        return response
    if fault.kind == "slow_body":
        response.stall = fault.seconds
    if fault.kind == "commit_then_timeout":
        time.sleep(fault.seconds)
        raise Dropped
    if fault.kind == "commit_then_drop":
        raise Dropped
    return response

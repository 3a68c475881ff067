"""Idempotency keys as Stripe keeps them.

The same key with the same request answers what it answered before, a 500 included; with another request it is refused;
while the first is still at work it is a conflict. Keys are forgotten after a day of simulated time. Refusals made
before anything was executed (unknown parameters, 401, 409, 429) are not kept.
"""

from __future__ import annotations

import base64
import hashlib

from stripe_simulator.server.wire import Request, Response
from stripe_simulator.world.clock import DAY
from stripe_simulator.world.errors import StripeRefusal
from stripe_simulator.world.world import World


class Keys:
    """All keys of one account; the ones at work are only in memory, so a crash frees them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._at_work: set[str] = set()

    def begin(self, key: str, request: Request) -> Response | None:
        """The answer to replay, or None: do the work, then `keep` or only `release`. Raises 400 and 409."""
        with self._world.transaction():
            self._prune()
            known = self._world.store.get("_key", "_key_" + key)
            if known is not None and known["fingerprint"] != _fingerprint(request):
                raise StripeRefusal(
                    "Keys for idempotent requests can only be used with the same parameters they were first used "
                    f"with. Try using a key other than '{key}' if you meant to execute a different request.",
                    kind="idempotency_error",
                )
            if key in self._at_work:
                raise StripeRefusal(
                    "There is currently another in-progress request using this Idempotency Key.",
                    status=409,
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            if known is None:
                self._at_work.add(key)
                return None
            headers = [tuple(header) for header in known["headers"]]
            body = base64.b64decode(known["body"])
            return Response(known["status"], body, [*headers, ("Idempotent-Replayed", "true")])

    def keep(self, key: str, request: Request, response: Response) -> None:
        """Call inside the transaction that did the work."""
        self._world.store.add(
            {
                "id": "_key_" + key,
                "object": "_key",
                "at": self._world.now(),
                "fingerprint": _fingerprint(request),
                "status": response.status,
                "headers": [list(header) for header in response.headers],
                "body": base64.b64encode(response.body).decode(),
            }
        )

    def release(self, key: str) -> None:
        with self._world.lock:
            self._at_work.discard(key)

    def _prune(self) -> None:
        oldest = self._world.now() - DAY
        for document in self._world.store.all("_key"):
            if document["at"] >= oldest:
                break
            self._world.store.remove(document)


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.body).hexdigest()

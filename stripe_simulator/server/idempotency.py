"""Idempotency keys as Stripe treats them.

The same key with the same request returns the earlier answer, even a 500. With another request it is refused; while
the first request is running it is a conflict. Keys expire after a day of simulated time. Refusals made before the
request was executed (unknown parameters, 401, 409, 429) are not stored.
"""

from __future__ import annotations

import base64
import hashlib

from stripe_simulator.server.wire import Request, Response
from stripe_simulator.world.clock import DAY
from stripe_simulator.world.errors import StripeRefusal
from stripe_simulator.world.world import World


class Keys:
    """The keys of one account. Keys in use are only in memory, so that a crash releases them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._in_use: set[str] = set()

    def begin(self, key: str, request: Request) -> Response | None:
        """Return the answer to replay, or None if the request must be executed. Then call `release` in any case.

        Raises StripeRefusal: 400 for another request under the same key, 409 while the key is in use.
        """
        with self._world.transaction():
            self._prune()
            known = self._world.store.get("_key", "_key_" + key)
            if known is not None and known["fingerprint"] != _fingerprint(request):
                raise StripeRefusal(
                    "Keys for idempotent requests can only be used with the same parameters they were first used "
                    f"with. Try using a key other than '{key}' if you meant to execute a different request.",
                    kind="idempotency_error",
                )
            if key in self._in_use:
                raise StripeRefusal(
                    "There is currently another in-progress request using this Idempotency Key.",
                    status=409,
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            if known is None:
                self._in_use.add(key)
                return None
            headers = [tuple(header) for header in known["headers"]]
            body = base64.b64decode(known["body"])
            named = [("Idempotent-Replayed", "true")] if self._world.policy.names_replays else []
            return Response(known["status"], body, [*headers, *named])

    def keep(self, key: str, request: Request, response: Response) -> None:
        """Store the answer under its key. Call it inside the transaction that executed the request."""
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
            self._in_use.discard(key)

    def _prune(self) -> None:
        oldest = self._world.now() - DAY
        for document in self._world.store.all("_key"):
            if document["at"] >= oldest:
                break
            self._world.store.remove(document)


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.body).hexdigest()

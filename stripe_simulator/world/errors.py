"""Stripe-shaped errors: what the API answers when it refuses.

Raised anywhere below the API and turned into a status and a JSON body by api/dispatch.py. Nothing here decides
whether to refuse. The simulator never guesses: what it does not know it refuses with `not_simulated`.
"""

from __future__ import annotations

from typing import Any


class StripeRefusal(Exception):
    """An error answer: HTTP status, Stripe's `type`, message, and where known `code` and `param`."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": str(self), "type": self.kind}
        if self.code:
            error["code"] = self.code
        if self.param:
            error["param"] = self.param
        return {"error": error}


class Declined(StripeRefusal):
    """An answer 402 to an attempt that was made: unlike other refusals, what it did stays."""

    def __init__(self, message: str, *, code: str, decline_code: str | None = None) -> None:
        super().__init__(message, status=402, kind="card_error", code=code)
        self.decline_code = decline_code

    def body(self) -> dict[str, Any]:
        body = super().body()
        if self.decline_code:
            body["error"]["decline_code"] = self.decline_code
        return body


def missing(kind: str, id: str, param: str = "id") -> StripeRefusal:
    name = kind.rsplit(".", 1)[-1].replace("_", " ")
    return StripeRefusal(f"No such {name}: '{id}'", status=404, code="resource_missing", param=param)


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeRefusal:
    return StripeRefusal(message, param=param, code=code)


def required(param: str) -> StripeRefusal:
    return StripeRefusal(f"Missing required param: {param}.", param=param, code="parameter_missing")


def not_simulated(what: str, param: str | None = None, status: int = 400) -> StripeRefusal:
    return StripeRefusal(
        f"The simulator does not simulate {what}. It answers an error rather than a guess.",
        status=status,
        code="not_simulated",
        param=param,
    )

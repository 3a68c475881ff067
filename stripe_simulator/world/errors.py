"""Errors in Stripe's format, raised anywhere below the API. api/dispatch.py turns them into a status and a JSON body.

The simulator never guesses: it refuses anything that it does not simulate with the code `not_simulated`.
"""

from __future__ import annotations

from typing import Any


class StripeRefusal(Exception):
    """An error answer: HTTP status, Stripe's `type` (`kind`) and message, and `code` and `param` where they apply."""

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
    """The answer 402 to a payment that was declined. Unlike after other refusals, its effects are kept."""

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

"""The hosted portal, the hosted invoice and receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..wire import Request, Response
from . import layout

if TYPE_CHECKING:
    from ..simulator import Simulator


def answer(simulator: Simulator, request: Request) -> Response:
    return layout.not_found()

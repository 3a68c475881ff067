"""What a window does behind its back: whom it asks for what, how heavy the answers are, what Chromium refuses."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, Response

STATUS_OF_A_PAGE = "Failed to load resource"  # said of every answer from 400 up, pages in words included


class Watch:
    """Over any number of windows; `ours` and `stripes` are the two addresses they may speak to."""

    def __init__(self, ours: str, stripes: str) -> None:
        self.allowed = {ours, stripes}
        self.requests: list[Request] = []
        self.complaints: list[str] = []

    def over(self, page: Page) -> None:
        page.on("request", lambda request: self.requests.append(request))
        page.on("response", self._answered)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

    @property
    def strangers(self) -> list[str]:
        """Addresses of others that were asked for something."""
        return [each.url for each in self.requests if origin(each.url) not in self.allowed | {"://"}]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(STATUS_OF_A_PAGE):
            self.complaints.append(f"{message.location.get('url')}: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self.complaints.append(f"{response.url}: {response.status}")


def origin(url: str) -> str:
    """Scheme and host; nothing for what a browser makes itself, such as data:."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https", "ws", "wss") else "://"


def weight(answers: Iterable[Response]) -> int:
    """Bytes on the wire, heads included."""
    total = 0
    for answer in answers:
        sizes = answer.request.sizes()
        total += sizes["responseBodySize"] + sizes["responseHeadersSize"]
    return total

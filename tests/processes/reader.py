"""A reader without JavaScript: pages and forms over HTTP, at our site and at the simulator's hosted page."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

import requests

from tests.processes.theatre import Theatre
from tests.stage import hidden_fields

_numbers = count(1)


@dataclass(frozen=True)
class Given:
    """A checkout that waits at Stripe, and the address Stripe sends the reader back to."""

    email: str
    session: str
    return_url: str


class Reader:
    def __init__(self, theatre: Theatre) -> None:
        self.theatre = theatre
        self.web = requests.Session()

    def details(self, frequency: str = "once", amount: str = "10", currency: str = "EUR") -> dict[str, str]:
        """Our details page; the fields its form would send, filled in."""
        choice = {"frequency": frequency, "amount": amount, "currency": currency}
        page = self.web.get(f"{self.theatre.site}/support/details/", params=choice, timeout=15)
        self._expect(200, page)
        return hidden_fields(page.text) | {"email": f"reader{next(_numbers)}@example.org", "name": "Олена Коваль"}

    def submit(self, fields: dict[str, str]) -> requests.Response:
        return self.web.post(f"{self.theatre.site}/support/details/", fields, timeout=30, allow_redirects=False)

    def _expect(self, status: int, answer: requests.Response) -> None:
        words = self.theatre.programs.words_of("web")[-4000:]
        assert answer.status_code == status, f"{answer.status_code}: {answer.text[:300]}\n{words}"

    def begin(self, **choice: str) -> Given:
        """Up to Stripe's page."""
        return self.gift_at(self.submit(self.details(**choice)))

    def gift_at(self, answer: requests.Response) -> Given:
        """The gift an answer of ours sends its reader to Stripe with."""
        self._expect(303, answer)
        session = answer.headers["Location"].rpartition("/")[2]
        stored = self.theatre.sql(
            "SELECT email, stripe_params->>'success_url' FROM payments_checkout WHERE stripe_session_id = %s", session
        )
        return Given(stored[0][0], session, stored[0][1])

    def pay(self, gift: Given, **how: Any) -> None:
        told = self.theatre.control("pay", session=gift.session, email=gift.email, **how)
        assert told["result"] != "failed", told

    def pay_at_the_page(self, gift: Given) -> str:
        """Through the hosted page's own form; where it sends the reader."""
        fields = {"method": "card", "card_number": "4242 4242 4242 4242", "card_expiry": "12/40"}
        address = f"{self.theatre.stripe}/checkout/{gift.session}"
        answer = self.web.post(address, fields | {"email": gift.email}, timeout=30, allow_redirects=False)
        self._expect(303, answer)
        return answer.headers["Location"]

    def come_back(self, gift: Given) -> str:
        """The state our return page shows."""
        page = self.web.get(gift.return_url, timeout=30)
        self._expect(200, page)
        return page.text.partition('data-state="')[2].partition('"')[0]


def crowd(theatre: Theatre, size: int, *, pays: bool = True, **choice: str) -> list[Given]:
    """That many readers at once; each gives, and pays unless told otherwise."""

    def give(_: int) -> Given:
        reader = Reader(theatre)
        gift = reader.begin(**choice)
        if pays:
            reader.pay(gift)
        return gift

    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(give, range(size)))

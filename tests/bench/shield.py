"""Stolen cards tested on our forms, and a storm of real readers, in one process with Stripe's stand-in beside it.

Prints how many tries reached Stripe and how many readers got through. What browsers compute is left out (a proof costs
one round here), so that the figures are about our side. Run as a program, with `make bench`.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from html import unescape

import django

django.setup()

import altcha  # noqa: E402
from django.conf import settings  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402

from members import limits  # noqa: E402
from payments.guard import door, proof  # noqa: E402
from payments.models import Checkout, HeldGift  # noqa: E402
from payments.webhooks import drain  # noqa: E402
from stripe_simulator import Simulator, serve  # noqa: E402
from tests.bench.lives import KEY, arrive  # noqa: E402

DETAILS = "/support/details/"
CARDS_IN_ONE_SESSION, TRIES, MOST_SECONDS = 400, 18_000, 20.0
# Eight minutes of 3,000 readers an hour: more than the limits of a network and of all within their ten minutes.
READERS, NETWORKS = 400, 6


class Scene:
    """Our pages, Stripe's stand-in, and the drain between them."""

    def __init__(self, simulator: Simulator) -> None:
        self.stripe, self.client, self.cards = simulator, Client(SERVER_NAME="127.0.0.1"), 0

    def send(self, address: str, email: str = "", *, runs_script: bool = True) -> str:
        """Send a form as a browser does; return the session it led to, or "" if it was refused."""
        name = secrets.token_urlsafe(16)
        fields = {"frequency": "once", "amount": "10", "currency": "EUR", "form_key": name}
        fields |= {"email": email or f"{name}@example.org", "name": ""}
        answer = self._post(fields, address)
        if answer.status_code == 422 and runs_script:
            answer = self._post(fields | {"proof": _solved(answer)}, address)
        if answer.status_code != 303:
            return ""
        return str(Checkout.objects.get(stripe_session_url=answer["Location"]).stripe_session_id)

    def _post(self, fields: dict[str, str], address: str) -> HttpResponse:
        return self.client.post(DETAILS, fields, REMOTE_ADDR=address)  # type: ignore[return-value]

    def is_open(self, session: str) -> bool:
        return bool(session) and self.stripe.get(session)["status"] == "open"

    def try_card(self, session: str) -> None:
        self.cards += 1
        self.stripe.pay(session, f"9999{self.cards:012}")
        self.work()

    def work(self) -> None:
        self.stripe.deliver(self.stripe.outbox())
        drain.until_nothing_is_due()


def _solved(answer: HttpResponse) -> str:
    found = re.search(r'data-challenge="([^"]*)"', answer.content.decode())
    asked = altcha.Challenge.from_dict(json.loads(unescape(found[1] if found else "")))
    solution = altcha.solve_challenge(asked)
    return altcha.Payload(asked, solution).to_base64() if solution else ""


def one_session(scene: Scene) -> None:
    before, session = scene.cards, scene.send("192.0.2.1")
    for _ in range(CARDS_IN_ONE_SESSION):
        if scene.is_open(session):
            scene.try_card(session)
    print(f"\n{CARDS_IN_ONE_SESSION} cards in one session: {scene.cards - before} reached Stripe (goal 5 at most)")


def one_source(scene: Scene, name: str, addresses: list[str]) -> None:
    """A program that sends forms and tries cards, as many as fit into the time, at most TRIES."""
    before, session, tries = scene.cards, "", 0
    started = time.perf_counter()
    while tries < TRIES and time.perf_counter() - started < MOST_SECONDS:
        tries += 1
        if scene.is_open(session):
            scene.try_card(session)
        else:
            session = scene.send(addresses[tries % len(addresses)])
    reached = scene.cards - before
    rate = tries / (time.perf_counter() - started)
    print(f"{tries:,} tries from {name}: {reached} reached Stripe, {reached / TRIES:.2%} of 18,000 (goal under 2 %)")
    print(f"  {rate:.0f} a second refused or tried; the door is {door.state()}")


def storm(scene: Scene) -> None:
    """Half of the readers behind six addresses, one card in twenty refused at first."""
    started = time.perf_counter()
    for number in range(READERS):
        address = f"198.51.100.{number % NETWORKS}" if number % 2 else f"203.0.113.{number // 2 % 250}"
        session = scene.send(address)
        if not session:
            continue
        if number % 20 == 0:
            scene.try_card(session)
        scene.stripe.pay(session)
        if number % 50 == 0:
            scene.work()
    scene.work()
    through = Checkout.objects.filter(status=Checkout.Status.COMPLETE).count()
    seconds = time.perf_counter() - started
    print(f"{READERS} readers as 3,000 an hour, half behind {NETWORKS} addresses: {through} got through (goal all)")
    print(f"  {seconds:.0f} s in one process; held back: {HeldGift.objects.count()}; the door is {door.state()}")


def main() -> None:
    settings.STRIPE_READS_PER_SECOND, settings.STRIPE_SECRET_KEY = 1_000, KEY
    for state in proof.COST:
        proof.COST[state] = 1
    limits.in_redis(lambda client: client.flushdb())
    simulator = Simulator(None, secret_key=KEY, hold=True, post=arrive)
    with serve(simulator) as running:
        settings.STRIPE_API_BASE = running.url
        scene = Scene(simulator)
        storm(scene)
        one_session(scene)
        one_source(scene, "one address", ["192.0.2.66"])


if __name__ == "__main__":
    main()

"""Stolen cards are tested on our forms, scaled down; and a storm of real readers, who must not notice (bench: in full).

An attacker sends forms as a program does and solves what a browser would solve. Whatever Stripe saw of a card is a
charge there.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from members import limits
from payments.guard import door, expiring
from payments.models import Checkout, FailedTry, HeldGift
from tests.payments.guard.scene import CHOICE, DETAILS, another_card, challenge, send, solved, with_script
from tests.stage import Stage, hidden_fields, link

TESTED = 400
# Of 18,000 tries within an hour fewer than 360 may reach Stripe. A few do at first, and then none: so a part is enough.
TRIES, AT_FIRST, MOST_AT_FIRST = 160, 80, 36


@pytest.fixture(autouse=True)
def _as_shipped(stage: Stage, settings) -> None:
    settings.CHECKOUT_LIMIT_PER_NETWORK, settings.CHECKOUT_LIMIT_IN_ALL = 10, 300
    expiring.forget_silence()
    limits.in_redis(lambda client: client.flushdb())


def seen_by_stripe(stage: Stage) -> int:
    return len(stage.stripe.world.store.all("charge"))


def is_open(stage: Stage, session: str) -> bool:
    return bool(stage.stripe.get(session)["status"] == "open")


def test_four_hundred_cards_in_one_session(stage: Stage) -> None:
    """Each card is tried as soon as the last was answered; the session takes five, and no form brings it back."""
    form = {"email": "tester@example.org", "form_key": "the-form-of-a-tester"}
    session = Checkout.objects.get(stripe_session_url=send(stage, "192.0.2.66", **form)["Location"]).stripe_session_id
    for _ in range(TESTED):
        if is_open(stage, session):
            stage.stripe.pay(session, another_card())
            stage.bring()
            stage.work()
    assert seen_by_stripe(stage) == expiring.MOST_IN_SESSION
    assert FailedTry.objects.count() == expiring.MOST_IN_SESSION


class Program:
    """A program that tries cards, from addresses that it is given; it solves challenges, and forgets what is over."""

    def __init__(self, stage: Stage, addresses: list[str]) -> None:
        self.stage, self.addresses = stage, addresses
        self.session, self.number = "", 0

    def try_one(self) -> None:
        """One try: a card in the open session, else a form that may open another."""
        self.number += 1
        if self.session and is_open(self.stage, self.session):
            self.stage.stripe.pay(self.session, another_card())
            self.stage.bring()
            self.stage.work()
            return
        self.session = ""
        address = self.addresses[self.number % len(self.addresses)]
        answer = send(self.stage, address)
        if answer.status_code == 422:
            answer = self._solve(answer, address)
        if answer.status_code == 303:
            self.session = str(Checkout.objects.latest("pk").stripe_session_id)

    def _solve(self, asked: Any, address: str) -> Any:
        html = asked.content.decode()
        fields = with_script(html) | {"email": f"{secrets.token_hex(6)}@example.org", "proof": solved(challenge(html))}
        return self.stage.client.post(DETAILS, fields, REMOTE_ADDR=address)


@pytest.mark.parametrize("around", [False, True], ids=["one address", "a /64 of addresses"])
def test_thousands_of_tries_from_one_source(stage: Stage, around: bool) -> None:
    addresses = [f"2001:db8:66:1::{number:x}" for number in range(200)] if around else ["192.0.2.66"]
    tester = Program(stage, addresses)
    for _ in range(AT_FIRST):
        tester.try_one()
    first = seen_by_stripe(stage)
    assert first <= MOST_AT_FIRST
    for _ in range(TRIES - AT_FIRST):
        tester.try_one()
    assert seen_by_stripe(stage) == first
    assert door.state() == "closed" or HeldGift.objects.filter(is_held=True).exists()
    assert send(stage, "198.51.100.7").status_code in (303, 422), "Everybody else gives, after a proof at most."


def test_sessions_opened_beforehand_are_of_no_use(stage: Stage, settings) -> None:
    """Forty sessions wait open before the first card is tried: they are closed with the source."""
    settings.CHECKOUT_LIMIT_PER_NETWORK = 10_000
    sessions = []
    for _ in range(40):
        answer = send(stage, "192.0.2.66")
        sessions.append(Checkout.objects.get(stripe_session_url=answer["Location"]).stripe_session_id)
    for session in sessions * 5:
        if is_open(stage, session):
            stage.stripe.pay(session, another_card())
            stage.bring()
            stage.work()
    assert seen_by_stripe(stage) <= 15
    assert not any(is_open(stage, session) for session in sessions)


def test_a_storm_of_readers_passes_whole(stage: Stage, settings) -> None:
    """Half of them behind six addresses, one card in twenty refused at first, one browser in twelve without script."""
    settings.CHECKOUT_LIMIT_PER_NETWORK, settings.CHECKOUT_LIMIT_IN_ALL = 2, 15
    readers = 24
    for number in range(readers):
        address = f"192.0.2.{number % 6}" if number % 2 else f"198.51.100.{number}"
        email = f"reader-{number}-{secrets.token_hex(3)}@example.org"
        url = give(stage, address, email, runs_script=number % 12 != 5)
        checkout = Checkout.objects.get(stripe_session_url=url)
        if number % 20 == 7:
            stage.pay(checkout, card="4000000000000002")
        stage.pay(checkout)
    stage.settle_down()
    assert Checkout.objects.filter(status="complete").count() == readers
    assert door.state() == "guarded"
    assert not HeldGift.objects.exists()


def give(stage: Stage, address: str, email: str, *, runs_script: bool) -> str:
    """Give as a reader's browser does; returns the address of Stripe's page."""
    html = stage.client.get(DETAILS, CHOICE).content.decode()
    for _ in range(2):
        fields = (with_script if runs_script else hidden_fields)(html) | {"email": email}
        if runs_script and "data-challenge" in html:
            fields["proof"] = solved(challenge(html))
        answer = stage.client.post(DETAILS, fields, REMOTE_ADDR=address)
        html = answer.content.decode()
        if answer.status_code == 303:
            return str(answer["Location"])
        if "Check your inbox" in html:
            stage.send_mail()
            [mail] = [mail for mail in stage.mails() if email in str(mail["To"])]
            path = link(str(mail.get_body(("plain",)).get_content()), "/support/begin/")
            return str(stage.client.post(path, REMOTE_ADDR=address)["Location"])
        assert answer.status_code == 422
    raise AssertionError("A reader was refused.")

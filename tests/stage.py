"""The whole product on a stage, for journeys: the real SDK over HTTP to the simulator, its signed events through the
front door, the drain's and the sender's own functions, a clock that moves both worlds. Nothing of ours is patched.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from members import clock, tasks
from payments import daily
from payments import tasks as payment_tasks
from payments.books import settlements
from payments.models import Checkout, MethodChange, OverdueTry, StripeEvent
from payments.reconciling import invariants
from payments.webhooks import drain
from stripe_simulator import Chaos, Simulator, serve

KEY, SECRET = "sk_test_simulator_stage", "whsec_stage"
# The hour (UTC) at which every scene begins, whatever hour it is here: Stripe takes a renewal's money an hour after
# its period ends, which late in the evening is the newsroom's next day.
BEGINS_AT = 9
# The day of scenes that name none: what a story tells must not hang on today, a month's length above all. Another one
# by SCENES_BEGIN=2028-01-31, to look for stories that hold on this day alone.
BEGINS_ON = date.fromisoformat(os.environ.get("SCENES_BEGIN", "2026-03-02"))


class Stage:
    """Reader, Stripe, Stripe's messenger, our drain and our postman, each told when to act."""

    def __init__(self, simulator: Simulator, client: Client) -> None:
        self.stripe = simulator
        self.client = client

    # The reader

    def give(
        self,
        frequency: str = "month",
        amount: str = "10",
        currency: str = "EUR",
        email: str = "olena@example.org",
        name: str = "Олена Коваль",
        **query: str,
    ) -> Checkout:
        """Fill in our two pages; returns the checkout that waits at Stripe."""
        choice = {"frequency": frequency, "amount": amount, "currency": currency, **query}
        page = self.client.get("/support/details/", choice)
        assert page.status_code == 200, page.content.decode()
        fields = hidden_fields(page.content.decode()) | {"email": email, "name": name}
        answer = self.client.post("/support/details/", fields)
        assert answer.status_code == 303, answer.content.decode()
        return Checkout.objects.get(stripe_session_url=answer["Location"])

    def pay(self, checkout: Checkout, **how: Any) -> str:
        """At Stripe's page; says what Stripe says there."""
        return str(self.stripe.pay(checkout.stripe_session_id, email=checkout.email, **how).result)

    def join(
        self, frequency: str = "month", card: str = "4242424242424242", iban: str | None = None, **choice: str
    ) -> Checkout:
        """The whole way of a gift that goes well, worked to the end."""
        checkout = self.give(frequency, **choice)
        self.pay(checkout, **({"iban": iban} if iban else {"card": card}))
        self.settle_down()
        checkout.refresh_from_db()
        return checkout

    # Stripe's messenger, our drain, our postman

    def post(self, event: dict[str, Any]) -> int:
        body = json.dumps(event).encode()
        headers = self.stripe.signed(body)
        return self.client.generic(
            "POST",
            "/webhooks/stripe/",
            body,
            "application/json",
            HTTP_STRIPE_SIGNATURE=headers["Stripe-Signature"],
        ).status_code

    def bring(self) -> int:
        """All events that wait at Stripe come to our door."""
        waiting = self.stripe.outbox()
        statuses = self.stripe.deliver(waiting) if waiting else []
        assert set(statuses) <= {200}, statuses
        return len(statuses)

    def work(self) -> None:
        """The drain, until nothing waits but what must wait."""
        for _ in range(12):
            StripeEvent.objects.filter(state__in=StripeEvent.WAITING).update(next_try_at=timezone.now())
            if not drain.until_nothing_is_due():
                break
        settlements.collect()
        for change in MethodChange.objects.filter(state="requested"):
            payment_tasks.set_payment_method(change.pk)
        for row in OverdueTry.objects.filter(state="requested"):
            payment_tasks.try_overdue_payment(row.pk)

    def send_mail(self) -> None:
        tasks.send_due_messages()
        tasks.send_due_relationship_messages()

    def settle_down(self) -> None:
        """Deliver, work and send until nothing is left to do."""
        while self.bring():
            self.work()
        self.work()
        while self.bring():  # what our own requests have caused
            self.work()
        self.send_mail()

    # Time

    def begin(self, day: date = BEGINS_ON) -> None:
        """Both worlds, empty still, at the hour at which scenes begin, on a day past or to come."""
        now, at = timezone.now(), datetime.combine(day, time(BEGINS_AT), UTC)
        clock.reset()
        clock.move(at - now)
        self.stripe.begin(days_ago=(now.date() - day).days + 1)
        self.stripe.advance(to=at)

    def advance(self, days: int = 1) -> None:
        """A day at a time: our date and its jobs, then Stripe's day, its events, our mail."""
        for _ in range(days):
            daily.advance_business_date(1)
            self.stripe.advance(days=1)
            self.let_the_hour_pass()
            self.settle_down()

    def sleep(self, days: int) -> None:
        """Both worlds move without our daily jobs: for times in which they have nothing to do."""
        self.move(timedelta(days=days))
        self.let_the_hour_pass()
        self.settle_down()

    def sleep_until(self, day: date) -> None:
        self.sleep((day - clock.today()).days)

    def advance_to(self, day: date) -> None:
        self.advance((day - clock.today()).days)

    def move(self, span: timedelta) -> None:
        clock.move(span)
        self.stripe.advance(seconds=span.total_seconds())

    def let_the_hour_pass(self) -> None:
        """If a renewal's invoice is a draft just now, the hour passes after which its money is taken."""
        if drafts := self._planned("finalize"):
            self.move(timedelta(seconds=max(0, max(drafts) - self.stripe.now()) + 1))

    def sleep_into_the_hour(self) -> None:
        """Time passes until the next renewal's invoice has been a draft for a minute, and we know it."""
        self.move(timedelta(seconds=min(self._planned("renew")) - self.stripe.now() + 60))
        self.settle_down()

    def _planned(self, duty: str) -> list[float]:
        """When Stripe does this next, for each gift."""
        with self.stripe.world.lock:
            return [task["at"] for task in self.stripe.world.store.where("_task", duty=duty)]

    # What came of it

    def mails(self) -> list[EmailMessage]:
        paths = sorted(Path(django_settings.MAIL_DIR).glob("*.eml"))
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]  # type: ignore[misc]

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails()]

    def last_mail(self) -> str:
        """The text of the newest mail."""
        body = self.mails()[-1].get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    def books(self) -> dict[str, Any]:
        return {key: value for key, value in invariants.report().items() if key != "operations"}


def hidden_fields(html: str) -> dict[str, str]:
    """The hidden inputs of a page's form, as a browser would send them."""
    found = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", html):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            found[name.group(1)] = value.group(1) if value else ""
    return found


def link(text: str, path: str) -> str:
    """The path of the first link in a mail's text that starts with `path`."""
    found = re.search(rf"https?://[^/\s]+({path}\S+)", text)
    assert found, text
    return found.group(1)


def set_the_scene(settings: Any, tmp_path: Path, client: Client, chaos: Chaos | None = None) -> Iterator[Stage]:
    def post(url: str, payload: bytes, headers: dict[str, str]) -> int:
        answer = client.generic(
            "POST",
            "/webhooks/stripe/",
            payload,
            "application/json",
            HTTP_STRIPE_SIGNATURE=headers["Stripe-Signature"],
        )
        return answer.status_code

    simulator = Simulator(None, webhook_secret=SECRET, secret_key=KEY, post=post, hold=True, chaos=chaos or Chaos())
    with serve(simulator) as running:
        settings.DEBUG = True
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = KEY, [SECRET]
        settings.STRIPE_API_BASE = running.url
        settings.STRIPE_READS_PER_SECOND, settings.STRIPE_PARAMS_CHECKED = 10000, True
        settings.DATA_DIR, settings.MAIL_DIR = tmp_path, tmp_path / "mail"
        settings.EMAIL_BACKEND = "members.mail.files.EmailBackend"
        settings.SITE_URL = "http://testserver"
        settings.ALLOWED_HOSTS = ["testserver"]
        settings.CHECKOUT_LIMIT_PER_NETWORK = settings.CHECKOUT_LIMIT_IN_ALL = 10000
        stage = Stage(simulator, client)
        stage.begin()
        yield stage


def shuffled(events: list[Any], seed: int, repeats: float = 0.5) -> list[Any]:
    """The same events in another order, some of them again."""
    dice = Random(seed)
    many = events + [event for event in events if dice.random() < repeats]
    dice.shuffle(many)
    return many

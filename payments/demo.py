"""Demo data: about forty supporters with months of history, made through the real rules and the simulator.

All people are invented: names are common ones, addresses are at example.org. Called by `manage.py seed_demo` only.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
from django.conf import settings
from django.contrib.auth import get_user_model

from appeals.demo import make_demo_campaign
from appeals.models import Appeal
from members import clock
from members.models import Level, LevelAmount, LevelName
from payments import daily, money
from payments.books import settlements
from payments.giving import checkout
from payments.giving.choices import Choice, Person
from payments.models import Checkout, Payment, StripeEvent, Subscription
from payments.reconciling import comparison, missed_events
from payments.recurring import changes
from payments.webhooks import drain

# A yearly patron began EARLIER, so that a renewal is near; everybody else began within DAYS_BACK, played day by day.
EARLIER, DAYS_BACK = 330, 243
CONSENT = "Demo data: made by seed_demo, agreed to by nobody."
PAYS, FAILS_LATER, DECLINED = "4242424242424242", "4000000000000341", "4000000000000002"
SEPA, SEPA_FAILS = "DE89370400440532013000", "DE62370400440532013001"

# About one euro in major units of each currency; the levels' amounts are multiples of it.
WORTH = {
    "EUR": 1,
    "USD": 1,
    "GBP": 1,
    "CAD": 1,
    "AUD": 2,
    "CHF": 1,
    "SEK": 10,
    "NOK": 10,
    "DKK": 8,
    "PLN": 4,
    "CZK": 25,
    "HUF": 400,
    "UAH": 45,
    "JPY": 150,
}


@dataclass(frozen=True)
class Story:
    """A demo supporter: their gift, how many days ago it began, and its `fate`, such as "stops" or "card fails"."""

    days_ago: int
    name: str
    language: str
    frequency: str
    amount: str
    currency: str
    fate: str = ""

    @property
    def email(self) -> str:
        return f"demo-{self.days_ago}-{self.frequency}@example.org"


STORIES = [
    Story(EARLIER, "Elżbieta Zawadzka", "en", "year", "60", "EUR"),
    Story(240, "Олена Коваль", "uk", "month", "200", "UAH"),
    Story(238, "James Whitfield", "en", "month", "10", "GBP"),
    Story(231, "Марко Шевчук", "uk", "month", "10", "EUR"),
    Story(229, "Anna Lindqvist", "en", "month", "100", "SEK"),
    Story(222, "Jean Moreau", "en", "month", "20", "EUR", "stops"),
    Story(215, "Katarzyna Nowak", "en", "month", "30", "PLN"),
    Story(210, "Тарас Бондар", "uk", "once", "400", "UAH"),
    Story(204, "Emily Carter", "en", "month", "5", "USD"),
    Story(199, "Софія Мельник", "uk", "month", "5", "EUR", "card fails"),
    Story(193, "Lars Hansen", "en", "once", "250", "DKK"),
    Story(188, "Ірина Ткачук", "uk", "month", "100", "UAH"),
    Story(181, "Robert Fischer", "en", "month", "10", "CHF"),
    Story(176, "Hannah Weber", "en", "month", "10", "EUR", "sepa"),
    Story(170, "Олександр Кравець", "uk", "once", "50", "EUR"),
    Story(163, "Yuki Tanaka", "en", "month", "1500", "JPY"),
    Story(158, "Grace Osei", "en", "once", "100", "USD", "refunded"),
    Story(151, "Наталія Поліщук", "uk", "month", "10", "EUR"),
    Story(144, "Pieter de Vries", "en", "month", "20", "EUR"),
    Story(137, "Lucía Romero", "en", "once", "25", "EUR", "partly refunded"),
    Story(130, "Дмитро Савчук", "uk", "month", "400", "UAH"),
    Story(124, "Chloé Bernard", "en", "month", "5", "EUR", "stops"),
    Story(118, "Oliver Brown", "en", "month", "15", "CAD"),
    Story(111, "Jan Svoboda", "en", "month", "200", "CZK"),
    Story(105, "Вікторія Лисенко", "uk", "once", "1000", "UAH"),
    Story(98, "Michael Grant", "en", "month", "50", "USD"),
    Story(91, "Éva Kovács", "en", "month", "4000", "HUF"),
    Story(84, "Андрій Гончар", "uk", "month", "10", "EUR", "card fails"),
    Story(77, "Ingrid Dahl", "en", "once", "500", "NOK"),
    Story(70, "Матвій Рудий", "uk", "month", "5", "EUR"),
    Story(63, "Sarah Mitchell", "en", "month", "30", "AUD"),
    Story(56, "Юлія Зінченко", "uk", "month", "20", "EUR", "sepa"),
    Story(49, "Thomas Keller", "en", "once", "100", "EUR", "declined first"),
    Story(42, "Богдан Іваненко", "uk", "month", "10", "EUR"),
    Story(35, "Fiona Byrne", "en", "month", "10", "EUR", "twice"),
    Story(28, "Камілла Дорош", "uk", "year", "100", "EUR"),
    Story(21, "Daniel Cohen", "en", "year", "200", "USD"),
    Story(14, "Павло Остапчук", "uk", "month", "10", "EUR"),
    Story(9, "Marie Dubois", "en", "once", "50", "EUR", "sepa fails"),
    Story(5, "Зоряна Білик", "uk", "month", "10", "EUR"),
    Story(2, "Henrik Olsen", "en", "once", "100", "EUR", "sepa"),
    Story(1, "Rosa Marino", "en", "month", "20", "EUR"),
]


def is_there() -> bool:
    """Return whether the demo data are complete: there are checkouts, and the clock has arrived at today."""
    return Checkout.objects.exists() and clock.offset() >= timedelta(0)


def make() -> None:
    """Play the stories one day at a time, from EARLIER until today, then compare with Stripe.

    A run that was interrupted is continued from the day it had reached.
    """
    make_levels()
    make_demo_campaign()
    if not Checkout.objects.exists():
        _simulator("begin", days_ago=EARLIER)
        clock.move(timedelta(days=-EARLIER))
    while (days_ago := -round(clock.offset() / timedelta(days=1))) > 0:
        for story in STORIES:
            if story.days_ago == days_ago and not Checkout.objects.filter(email=story.email).exists():
                _live(story)
        _after(days_ago)
        _pass(max(1, days_ago - DAYS_BACK))
    clock.reset()
    # Beat does the same every quarter of an hour and every night; done here, the desk starts with a true sign.
    missed_events.collect()
    comparison.run()


def make_levels() -> None:
    """Add two levels to the one that every installation has: from 5 and from 20 euros a month. Idempotent."""
    for rank, slug, english, ukrainian, euros in (
        (2, "friend", "Friend of the newsroom", "Дружнє коло", 5),
        (3, "guardian", "Guardian", "Опора", 20),
    ):
        level, is_new = Level.objects.get_or_create(slug=slug, defaults={"rank": rank, "grace_days": 14 + rank})
        if is_new:
            for language, name in (("en", english), ("uk", ukrainian)):
                LevelName.objects.create(level=level, language=language, name=name)
            for currency, units in WORTH.items():
                amount = money.from_major(euros * units, currency)
                LevelAmount.objects.create(level=level, currency=currency, monthly_amount=amount)


def make_staff() -> str:
    """Create the demo login "desk" if there is none, and return its password.

    The password is drawn at random once per data folder and stored there. Idempotent.
    """
    kept = settings.DATA_DIR / "demo_password"
    if not kept.exists():
        kept.write_text(secrets.token_urlsafe(9))
        kept.chmod(0o600)
    password: str = kept.read_text()
    user, _ = get_user_model().objects.get_or_create(
        username="desk", defaults={"is_staff": True, "is_superuser": True, "email": "desk@example.org"}
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save()
    return password


def _live(story: Story) -> None:
    """Play the beginning of a story: the supporter gives, in the way of their fate."""
    if story.fate == "twice":
        _give(story, key="second tab")
    session = _give(story, pays=story.fate != "declined first")
    if story.fate == "declined first":
        _simulator("pay", session=session, card=DECLINED, email=story.email, name=story.name)
        _simulator("pay", session=session, card=PAYS, email=story.email, name=story.name)


def _give(story: Story, key: str = "first tab", *, pays: bool = True) -> str:
    """Give through a checkout as a reader does, and pay it at the simulator if `pays`; return the session's id."""
    appeal = Appeal.objects.select_related("campaign").first() if story.days_ago % 3 else None
    choice = Choice(
        story.frequency,
        money.parse(story.amount, story.currency),
        story.currency,
        appeal.campaign if appeal else None,
        appeal,
        "demo-article" if appeal else "",
    )
    checkout.begin(choice, Person(story.email, story.name, story.language), CONSENT, f"demo {story.email} {key}")
    session = Checkout.objects.filter(email=story.email).latest("pk").stripe_session_id or ""
    if pays:
        _simulator("pay", session=session, email=story.email, name=story.name, **_means(story.fate))
    return session


def _means(fate: str) -> dict[str, str]:
    if fate.startswith("sepa"):
        return {"iban": SEPA_FAILS if fate == "sepa fails" else SEPA}
    return {"card": FAILS_LATER if fate == "card fails" else PAYS}


def _after(days_ago: int) -> None:
    """Play the later part of the stories that is due on this day: a stop, a new card, a refund."""
    for story in STORIES:
        if story.fate == "stops" and story.days_ago == days_ago + 80:
            changes.request_stop(Subscription.objects.get(supporter__email=story.email), "mail", "money")
        if story.fate == "card fails" and story.days_ago > 150 and story.days_ago == days_ago + 33:
            owner = Subscription.objects.get(supporter__email=story.email)
            _simulator("set_payment_method", customer=owner.stripe_customer_id, card=PAYS, retry_now=True)
        if story.fate in {"refunded", "partly refunded"} and story.days_ago == days_ago + 3:
            payment = Payment.objects.get(supporter__email=story.email)
            part = {} if story.fate == "refunded" else {"amount": payment.amount // 2}
            _simulator("refund", payment=payment.stripe_payment_intent_id, **part)


def _pass(days: int) -> None:
    """Move our date and run the daily jobs, then move Stripe's clock as far and process its events."""
    clock.move(timedelta(days=days))
    daily.run()
    _simulator("clock", days=days)
    _work()


def _work() -> None:
    """Process events until none waits, 10 seconds at most; the drain of `make run` may be working on some of them."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        drain.until_nothing_is_due()
        if not StripeEvent.objects.filter(state__in=StripeEvent.WAITING).exists():
            break
        time.sleep(0.02)
    settlements.collect()


def _simulator(control: str, **arguments: Any) -> None:
    answer = requests.post(f"{settings.STRIPE_API_BASE}/_simulator/{control}", json=arguments, timeout=60)
    if answer.status_code != 200:
        raise RuntimeError(f"The Stripe simulator refused {control}: {answer.text[:300]}")

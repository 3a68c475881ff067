"""Parts that the stories about a gift agreed on at Stripe share: the gift, the books, and whether all is well."""

from __future__ import annotations

from datetime import timedelta

from members import clock
from members.models import Message
from payments.models import Case, LedgerEntry, StripeEvent, Subscription
from payments.reconciling import comparison, invariants
from tests.stage import Stage


def one() -> Subscription:
    return Subscription.objects.get()


def gift_id() -> str:
    return one().stripe_subscription_id


def unworked() -> list[str]:
    return [f"{e.type}: {e.error}" for e in StripeEvent.objects.exclude(state__in=["processed", "ignored"])]


def cases() -> list[str]:
    return sorted(Case.objects.values_list("kind", flat=True))


def charged(stage: Stage) -> list[int]:
    return sorted(c["amount"] for c in stage.stripe.world.store.all("charge") if c["status"] == "succeeded")


def booked() -> list[int]:
    return sorted(LedgerEntry.objects.filter(kind="charge").values_list("amount", flat=True))


def words(letter: Message) -> str:
    """The text of a letter on one line."""
    return " ".join(letter.body_text.split())


def all_is_well(stage: Stage) -> None:
    """Everything that Stripe said is worked, our books have what Stripe took, and no comparison differs."""
    assert unworked() == []
    assert booked() == charged(stage)
    assert invariants.broken() == []
    clock.move(timedelta(minutes=10))
    stage.stripe.advance(seconds=600)
    run = comparison.run()
    assert run is not None
    assert (run.error, run.found) == ("", 0)

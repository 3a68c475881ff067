"""Functions that make rows for tests. Pass only the values that the test is about; the others have defaults."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import redis
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission, User

from appeals.models import Appeal, AppealAmounts, AppealWords, Campaign
from members import limits
from members.models import Consent, Level, LevelAmount, LevelName, Membership, Message, Supporter
from payments.giving import references
from payments.models import (
    Checkout,
    Dispute,
    LedgerEntry,
    Payment,
    Payout,
    PayoutLine,
    Refund,
    StripeEvent,
    Subscription,
)

_numbers = itertools.count(1)


def supporter(**values: Any) -> Supporter:
    number = next(_numbers)
    return Supporter.objects.create(**{"email": f"reader{number}@example.org", "name": f"Reader {number}", **values})


def level(slug: str = "friend", rank: int = 2, amounts: dict[str, int] | None = None, **values: Any) -> Level:
    """Make a level; `amounts` are monthly, in minor units by currency. The first level, `patron`, exists already."""
    made = Level.objects.create(slug=slug, rank=rank, **values)
    LevelName.objects.create(level=made, language="en", name=slug.title())
    for currency, amount in (amounts or {}).items():
        LevelAmount.objects.create(level=made, currency=currency, monthly_amount=amount)
    return made


def membership(who: Supporter | None = None, **values: Any) -> Membership:
    """Make a membership: by default paid from 20 December 2025 through 20 January 2026, with two weeks of grace."""
    paid_through: date = values.get("paid_through", date(2026, 1, 20))
    ordinary: dict[str, Any] = {
        "source": f"test:{next(_numbers)}",
        "starts_on": paid_through - timedelta(days=31),
        "grace_through": paid_through + timedelta(days=14),
    }
    values.setdefault("level", Level.objects.get(slug="patron"))
    return Membership.objects.create(
        supporter=who or supporter(), **{**ordinary, "paid_through": paid_through, **values}
    )


def campaign(slug: str = "autumn", **values: Any) -> Campaign:
    """Make a campaign: by default from 1 January 2020 without an end, with a goal of 500 new patrons."""
    ordinary: dict[str, Any] = {"title": slug.title(), "starts_on": date(2020, 1, 1), "goal": 500}
    return Campaign.objects.create(slug=slug, **{**ordinary, **values})


def appeal(
    to: Campaign,
    slug: str = "article-end",
    languages: tuple[str, ...] = ("en", "uk"),
    amounts: dict[str, list[int]] | None = None,
    **words: Any,
) -> Appeal:
    """Make an appeal with words in these languages (headline `Join us (en)`); the second amount is preselected."""
    made = Appeal.objects.create(campaign=to, slug=slug)
    for language in languages:
        ordinary = {
            "headline": f"Join us ({language})",
            "body": "One.\n\nTwo.",
            "button": "Become a patron",
            "other_ways": "Other ways",
            "goal_line": "{reached} of {goal} new patrons this autumn",
        }
        AppealWords.objects.create(appeal=made, language=language, **{**ordinary, **words})
    for currency, monthly in (amounts if amounts is not None else {"EUR": [5, 10, 20, 50]}).items():
        AppealAmounts.objects.create(appeal=made, currency=currency, monthly=monthly, chosen=monthly[1])
    return made


def campaign_with_appeal(slug: str = "autumn", **values: Any) -> Campaign:
    made = campaign(slug, **values)
    appeal(made, slug=f"{slug}-article-end")
    return made


def forget_tries() -> None:
    """Forget how often somebody tried to sign in to the desk, in Redis, which outlives a test."""

    def forget(client: redis.Redis) -> None:
        for key in client.scan_iter("limit:staff-*"):
            client.delete(key)

    limits.in_redis(forget)


def staff(username: str = "marta", *permissions: str, **values: Any) -> User:
    """Make a member of staff with these permissions (`payments.view_payment`), or a superuser if none is given."""
    ordinary = {"is_staff": True, "is_superuser": not permissions, "password": make_password("a long pass phrase")}
    made = User.objects.create(username=username, **{**ordinary, **values})
    for label in permissions:
        app, codename = label.split(".")
        made.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return made


def consent(**values: Any) -> Consent:
    ordinary = {"purpose": "gift", "words": "I agree.", "words_version": "1", "language": "en", "surface": "details"}
    return Consent.objects.create(**{**ordinary, **values})


def checkout(who: Supporter | None = None, **values: Any) -> Checkout:
    """Make a checkout of 10 euros a month: complete with a supporter, open at Stripe without one."""
    number = next(_numbers)
    ordinary: dict[str, Any] = {
        "reference": references.new(),
        "form_key": f"form-{number}",
        "frequency": "month",
        "amount": 1000,
        "currency": "EUR",
        "email": who.email if who else f"reader{number}@example.org",
        "name": who.name if who else "",
        "language": "en",
        "stripe_session_id": f"cs_test_{number}",
        "status": Checkout.Status.COMPLETE if who else Checkout.Status.OPEN,
    }
    values.setdefault("consent", consent())
    return Checkout.objects.create(supporter=who, **{**ordinary, **values})


def subscription(who: Supporter | None = None, **values: Any) -> Subscription:
    """Make an active subscription of 10 euros a month that renews on 20 January 2026 and began 31 days before."""
    number = next(_numbers)
    renews_on: date = values.get("renews_on", date(2026, 1, 20))
    ends = datetime.combine(renews_on, time(12), tzinfo=UTC)
    ordinary: dict[str, Any] = {
        "stripe_subscription_id": f"sub_test{number}",
        "stripe_customer_id": f"cus_test{number}",
        "status": "active",
        "frequency": "month",
        "amount": 1000,
        "currency": "EUR",
        "started_at": ends - timedelta(days=31),
        "current_period_end": ends,
        "method": "Visa 4242",
    }
    return Subscription.objects.create(supporter=who or supporter(), **{**ordinary, "renews_on": renews_on, **values})


def payment(who: Supporter | None = None, **values: Any) -> Payment:
    """Make a payment: a one-off gift of 10 euros, received on 20 December 2025 at noon."""
    number = next(_numbers)
    noon = datetime(2025, 12, 20, 12, tzinfo=UTC)
    ordinary: dict[str, Any] = {
        "frequency": "once",
        "status": "succeeded",
        "amount": 1000,
        "currency": "EUR",
        "created_at": noon,
        "stripe_payment_intent_id": f"pi_test{number}",
        "stripe_charge_id": f"ch_test{number}",
        "method": "Visa 4242",
    }
    made = {**ordinary, **values}
    made.setdefault("paid_at", made["created_at"] if made["status"] == "succeeded" else None)
    return Payment.objects.create(supporter=who or supporter(), **made)


def refund(of: Payment, amount: int, **values: Any) -> Refund:
    """Make a refund that succeeded, in minor units of the payment's currency, and add it to the payment."""
    number = next(_numbers)
    of.refunded_amount += amount
    of.save(update_fields=["refunded_amount"])
    ordinary: dict[str, Any] = {
        "stripe_refund_id": f"re_test{number}",
        "status": "succeeded",
        "created_at": of.created_at,
    }
    return Refund.objects.create(payment=of, amount=amount, currency=of.currency, **{**ordinary, **values})


def dispute(of: Payment, **values: Any) -> Dispute:
    """Make a dispute of the whole payment that waits for an answer, and note it on the payment."""
    ordinary: dict[str, Any] = {
        "stripe_dispute_id": f"du_test{next(_numbers)}",
        "status": "needs_response",
        "reason": "fraudulent",
        "amount": of.amount,
        "currency": of.currency,
        "withdrawn_amount": of.amount,
        "created_at": of.created_at,
    }
    made = Dispute.objects.create(payment=of, **{**ordinary, **values})
    of.disputed_amount = made.withdrawn_amount
    of.save(update_fields=["disputed_amount"])
    return made


def payout(**values: Any) -> Payout:
    """Make a payout that arrived, with one line of other software on the account that explains all of it."""
    ordinary: dict[str, Any] = {
        "stripe_payout_id": f"po_test{next(_numbers)}",
        "status": "paid",
        "amount": 956,
        "currency": "EUR",
        "arrives_on": date(2026, 1, 20),
        "created_at": datetime(2026, 1, 19, 9, tzinfo=UTC),
        "unexplained": 0,
    }
    made = Payout.objects.create(**{**ordinary, **values})
    PayoutLine.objects.create(
        payout=made,
        stripe_balance_transaction_id=f"txn_test{next(_numbers)}",
        type="charge",
        source="ch_other",
        amount=1000,
        fee=44,
        net=956,
        currency="EUR",
        occurred_at=made.created_at,
        whose=PayoutLine.Whose.OTHERS,
    )
    return made


def ledger_lines(of: Payment, fee: int = 44) -> LedgerEntry:
    """Make the ledger entries of a payment, charge and settlement in the same currency; return the charge."""
    line = LedgerEntry.objects.create(
        payment=of,
        kind="charge",
        source=f"charge:{of.stripe_charge_id}",
        amount=of.amount,
        currency=of.currency,
        occurred_at=of.created_at,
    )
    LedgerEntry.objects.create(
        payment=of,
        kind="settlement",
        settles=line,
        source=f"txn_{of.stripe_charge_id}",
        amount=0,
        fee=fee,
        currency=of.currency,
        settled_amount=of.amount,
        settled_currency=of.currency,
        occurred_at=of.created_at,
    )
    return line


def message(who: Supporter | None = None, **values: Any) -> Message:
    """Make an email that was sent: a receipt with text and HTML."""
    ordinary: dict[str, Any] = {
        "kind": "receipt",
        "key": f"receipt:test:{next(_numbers)}",
        "to_email": who.email if who else "n@example.org",
        "language": "en",
        "state": "sent",
        "subject": "Your receipt",
        "body_text": "Thank you.\n",
        "body_html": '<html><head></head><body><p style="color: #0b4f8a">Thank you.</p></body></html>',
        "sent_at": datetime(2025, 12, 20, 12, tzinfo=UTC),
    }
    return Message.objects.create(supporter=who, **{**ordinary, **values})


def event(state: str = "processed", payload: bytes | None = None, **values: Any) -> StripeEvent:
    """Make a stored event about an unknown charge.

    It was processed a second after it arrived, if its state is processed or ignored.
    """
    name = f"evt_test{next(_numbers)}"
    came = datetime(2025, 12, 20, 12, tzinfo=UTC)
    body = {"id": name, "type": "charge.updated", "data": {"object": {"id": "ch_unknown", "object": "charge"}}}
    ordinary: dict[str, Any] = {
        "id": name,
        "type": "charge.updated",
        "created_at": came,
        "received_at": came,
        "payload": json.dumps(body).encode() if payload is None else payload,
        "processed_at": came + timedelta(seconds=1) if state in ("processed", "ignored") else None,
    }
    return StripeEvent.objects.create(state=state, **{**ordinary, **values})

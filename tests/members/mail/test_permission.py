"""Permission to send is checked when an email is claimed and just before delivery: changes since queueing count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from members import people, suppressions
from members.mail import choices, sending, sweep
from members.mail.kinds import Stream
from members.models import Message, Supporter, Suppression
from tests import factories
from tests.members.mail.test_sending import FACTS
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink(settings: Any) -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 1
        yield server


@pytest.fixture
def olena() -> Supporter:
    return factories.supporter(email="olena@example.org")


def queued(who: Supporter, kind: str = "cancelled", **values: Any) -> Message:
    ordinary = {"to_email": who.email, "language": "en", "context": FACTS}
    return Message.objects.create(kind=kind, key=f"{kind}:{who.pk}", supporter=who, **{**ordinary, **values})


def stop(what: str, who: Supporter) -> None:
    if what == "suppressed":
        suppressions.suppress(who.email.upper(), Suppression.Reason.BOUNCED)
    else:
        choices.stop_all(who, "page")


def outcome(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.state, message.withheld


@pytest.mark.parametrize(("what", "stream"), [("suppressed", "service"), ("unwanted", "relationship")])
def test_what_changed_while_it_waited_counts(sink: SmtpSink, olena: Supporter, what: str, stream: str) -> None:
    message = queued(olena, "anniversary" if what == "unwanted" else "cancelled", stream=stream)
    stop(what, olena)
    sweep.send_due()
    assert outcome(message) == ("canceled", what)
    assert message.error
    assert sink.connections == 0


def test_also_what_changed_after_a_sender_had_taken_it(sink: SmtpSink, olena: Supporter) -> None:
    claimed = sending.claim(queued(olena).pk)
    assert claimed
    stop("suppressed", olena)
    sending.deliver(claimed)
    assert outcome(claimed) == ("canceled", "suppressed")
    assert sink.received == []


def test_letters_about_money_come_whatever_was_chosen(sink: SmtpSink, olena: Supporter) -> None:
    message = queued(olena)
    stop("unwanted", olena)
    sweep.send_due()
    assert outcome(message) == ("sent", "")


def test_a_lifted_suppression_lets_later_letters_out(sink: SmtpSink, olena: Supporter) -> None:
    stop("suppressed", olena)
    suppressions.lift(Suppression.objects.get(), factories.staff())
    message = queued(olena)
    sweep.send_due()
    assert outcome(message) == ("sent", "")


def correct(who: Supporter) -> None:
    people.correct_address(who, "kovalenko@example.org", factories.staff())


def recipients(sink: SmtpSink) -> list[str]:
    return [letter.recipient for letter in sink.received]


def test_a_letter_a_sender_has_taken_goes_to_the_address_that_was_corrected_meanwhile(
    sink: SmtpSink, olena: Supporter
) -> None:
    claimed = sending.claim(queued(olena).pk)
    assert claimed
    correct(olena)
    sending.deliver(claimed)
    claimed.refresh_from_db()
    assert (claimed.state, claimed.attempts, claimed.unanswered) == ("pending", 0, 0)
    assert recipients(sink) == []
    sweep.send_due()
    claimed.refresh_from_db()
    assert (claimed.state, claimed.attempts, claimed.to_email) == ("sent", 1, "kovalenko@example.org")
    assert recipients(sink) == ["kovalenko@example.org"]


def test_one_that_was_put_back_to_wait_while_it_was_corrected_goes_there_too(sink: SmtpSink, olena: Supporter) -> None:
    message = queued(olena, state="sending", lease_until="2020-01-01T00:00:00Z", unanswered=1, attempts=1)
    correct(olena)
    message.refresh_from_db()
    assert message.to_email == "olena@example.org", "it is unknown whether it was delivered there"
    sweep.send_due()
    assert outcome(message) == ("sent", "")
    assert recipients(sink) == [message.to_email] == ["kovalenko@example.org"]


def test_what_stood_against_the_old_address_does_not_silence_the_new_one(sink: SmtpSink, olena: Supporter) -> None:
    stop("suppressed", olena)
    message = queued(olena)
    correct(olena)
    sweep.send_due()
    assert outcome(message) == ("sent", "")


def test_what_stands_against_the_new_address_counts(sink: SmtpSink, olena: Supporter) -> None:
    message = queued(olena, state="sending", lease_until="2020-01-01T00:00:00Z")
    correct(olena)
    olena.refresh_from_db()
    stop("suppressed", olena)
    sweep.send_due()
    assert outcome(message) == ("canceled", "suppressed")
    assert message.to_email == "kovalenko@example.org"
    assert sink.connections == 0


def test_after_an_outage_links_go_first_and_what_came_too_late_not_at_all(sink: SmtpSink) -> None:
    """Two hours without a mail server: nothing is lost, no attempt is counted, and links are sent first."""
    port = sink.port
    sink.__exit__()
    receipts = [queued(factories.supporter(email=f"reader{number}@example.org")) for number in range(6)]
    asked = factories.supporter(email="asks@example.org")
    for _number in range(3):
        sweep.send_due()
    assert {outcome(message)[0] for message in receipts} == {"pending"}
    facts = {**FACTS, "fresh_url": "https://courier.example/stop/x/", "days": 60}
    link = queued(asked, "fresh_link", context=facts, is_urgent=True)
    late = queued(asked, "ended", expires_at="2020-01-01T00:00:00Z")
    Message.objects.update(next_try_at="2020-01-01T00:00:00Z")
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}
    sink.port = port
    sink.__enter__()
    sweep.send_due()
    assert next(letter.recipient for letter in sink.received) == "asks@example.org"
    assert len(sink.received) == 7
    assert {outcome(message)[0] for message in [*receipts, link]} == {"sent"}
    assert outcome(late)[0] == "canceled"


def test_letters_of_choice_step_aside_while_one_about_money_is_due(sink: SmtpSink, olena: Supporter) -> None:
    choice = queued(olena, "ended", stream="relationship")
    choices.choose(olena, {"anniversary": True}, "page")
    receipt = queued(factories.supporter(email="other@example.org"))
    assert sweep.send_due(streams=(Stream.RELATIONSHIP,)) is False
    assert outcome(choice)[0] == outcome(receipt)[0] == "pending"


@pytest.mark.parametrize("stream", list(Stream))
def test_finding_the_next_letter_uses_its_index(stream: Stream) -> None:
    due = Message.objects.due().filter(stream=stream).order_by("-is_urgent", "next_try_at", "pk")[:1]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = due.explain()
    assert "message_due" in plan
    assert "Sort" not in plan.replace("Incremental Sort", "Sort")

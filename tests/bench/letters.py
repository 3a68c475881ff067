"""Letters on a day that owes two hundred thousand of them: found and owed, then rendered and handed over. Run as a
program it measures, in a process of its own so that its memory is its own.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from datetime import timedelta

import django

django.setup()

from django.db import connection  # noqa: E402

from members import clock  # noqa: E402
from members.mail import sending  # noqa: E402
from members.models import Message, Supporter  # noqa: E402
from payments.letters import due as due_letters  # noqa: E402
from payments.letters import reminders  # noqa: E402
from payments.models import Subscription  # noqa: E402
from tests.bench.books import BEGAN, multiply  # noqa: E402
from tests.smtp_sink import SmtpSink  # noqa: E402

DUE, SENT_BY_EACH, SENDERS = 200_000, 1_000, 2


def make_rows() -> None:
    """Two hundred thousand yearly patrons who renew within thirty days, none of them reminded."""
    person = Supporter.objects.create(id=0, email="patron-0@example.org", name="Olena Kovalenko", language="en")
    spoken = "CASE n % 2 WHEN 0 THEN 'en' ELSE 'uk' END"
    multiply(person, DUE, email="'patron-' || n || '@example.org'", language=spoken)
    renews = clock.today() + timedelta(days=25)
    agreed = Subscription.objects.create(
        id=0,
        supporter=person,
        stripe_subscription_id="sub_0",
        stripe_customer_id="cus_0",
        status="active",
        frequency="year",
        amount=10000,
        currency="EUR",
        started_at=BEGAN,
        current_period_end=clock.now(),
        renews_on=renews,
        method="Visa 4242",
    )
    names = {"stripe_subscription_id": "'sub_' || n", "stripe_customer_id": "'cus_' || n"}
    multiply(agreed, DUE, supporter_id="n", **names)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def owe() -> str:
    counts = due_letters.send(reminders.YEARLY, clock.today())
    if (counts.due, counts.queued, counts.unaccounted) != (DUE, DUE, 0):
        raise SystemExit(f"owed wrongly: {counts}")
    return f"letters: {counts.due:,} due, {counts.queued:,} queued, {counts.unaccounted} unaccounted"


def owe_again() -> str:
    counts = due_letters.send(reminders.YEARLY, clock.today())
    if counts.due:
        raise SystemExit(f"owed twice: {counts}")
    return "the same day again: nobody is due"


def send() -> str:
    """One sender's share, over SMTP to a server on this machine."""
    for _ in range(SENT_BY_EACH):
        message = sending.claim()
        if message is None or sending.deliver(message).is_server_away:
            raise SystemExit("sent wrongly")
    return f"{SENT_BY_EACH:,} rendered and handed over"


def side_by_side() -> None:
    """Several senders at once, and how many letters they send a second together."""
    with SmtpSink() as sink:
        environment = os.environ | {"EMAIL_URL": sink.url}
        command = [sys.executable, "-m", "tests.bench.letters", "send"]
        started = time.perf_counter()
        senders = [subprocess.Popen(command, env=environment) for _ in range(SENDERS)]
        if any(sender.wait() for sender in senders):
            raise SystemExit("a sender failed")
        seconds = time.perf_counter() - started
    sent = SENDERS * SENT_BY_EACH
    if Message.objects.filter(state="sent").count() != sent:
        raise SystemExit("sent wrongly")
    print(f"{SENDERS} senders side by side: {sent / seconds:.0f} letters/s, their start included")


def main(what: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    done = {"owe": owe, "again": owe_again, "send": send}[what]()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{done}: {seconds:.1f} s, peak {peak // 1024} MB ({(peak - before) // 1024} MB of it while at work)")


if __name__ == "__main__":
    main(sys.argv[1])

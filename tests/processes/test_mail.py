"""The worker dies while sending, and mail servers misbehave: no thank-you twice, no receipt lost, nothing unseen."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest
import requests
from celery import Celery
from redis import Redis

from members.mail.headers import message_id
from tests.processes.reader import Reader, crowd
from tests.processes.theatre import Theatre
from tests.smtp_sink import SmtpSink

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")]

THANKS, RECEIPT = "thanks_first_recurring", "receipt_recurring"
BULK_IS_HEARD = "SELECT 1 FROM payments_heartbeat WHERE name = 'bulk'"


@pytest.fixture
def sink(theatre: Theatre) -> Iterator[SmtpSink]:
    """A real mail server, which the worker uses instead of writing files: one sender each of its two hands."""
    with SmtpSink() as server:
        theatre.restart("worker", EMAIL_URL=server.url, MAIL_SENDERS="1")
        yield server
    theatre.restart("worker")


def copies(sink: SmtpSink) -> Counter[str]:
    return Counter(letter.message["Message-ID"] for letter in sink.received)


def owed(theatre: Theatre, kind: str, after: int) -> dict[str, str]:
    """Message-ID and state of each letter of a kind that is newer than `after`."""
    rows = theatre.sql("SELECT key, state FROM members_message WHERE kind = %s AND id > %s", kind, after)
    return {message_id(key): state for key, state in rows}


def newest(theatre: Theatre) -> int:
    return int(theatre.sql("SELECT coalesce(max(id), 0) FROM members_message")[0][0])


def state_of(theatre: Theatre, email: str) -> str:
    """Of the one letter owed to an address; empty until it was tried."""
    rows = theatre.sql("SELECT state FROM members_message WHERE to_email = %s AND (attempts > 0 OR error <> '')", email)
    assert len(rows) <= 1
    return str(rows[0][0]) if rows else ""


def kill_while_sending(theatre: Theatre, sink: SmtpSink, times: int) -> None:
    for _ in range(times):
        enough = len(sink.received) + 3
        theatre.until("some letters are on their way", lambda enough=enough: len(sink.received) >= enough)
        theatre.kill("worker")
        theatre.leases_of_senders_run_out()
        theatre.start("worker", EMAIL_URL=sink.url, MAIL_SENDERS="1")
        theatre.sweep()


def renew_everybody(theatre: Theatre) -> int:
    """A month passes at Stripe; how many receipts that makes. Other tests of this stage leave gifts that stop."""
    active = "SELECT count(*) FROM payments_subscription WHERE status = 'active'"
    patrons = int(theatre.sql(active + " AND NOT cancel_at_period_end AND cancel_at IS NULL")[0][0])
    theatre.control("clock", days=32)
    return patrons


def test_a_worker_killed_while_sending(theatre: Theatre, sink: SmtpSink) -> None:
    start = newest(theatre)
    sink.mode, sink.thinks_seconds = "slow", 0.3
    crowd(theatre, 14, frequency="month")
    kill_while_sending(theatre, sink, 2)
    theatre.calm()
    thanked, arrived = owed(theatre, THANKS, start), copies(sink)
    states = Counter(thanked.values())
    assert states.total() == 14
    assert set(states) == {"sent", "unknown"}, "no kill hit a letter on its way: it proves nothing"
    assert states["unknown"] <= 2 * 2  # two kills, each of two letters at most
    assert {arrived[name] for name, state in thanked.items() if state == "sent"} == {1}
    assert {arrived[name] for name, state in thanked.items() if state == "unknown"} <= {0, 1}
    assert theatre.books()["operations"]["messages"]["unknown"] >= states["unknown"]
    assert f'hromada_messages{{state="unknown"}} {theatre.messages()["unknown"]}.0' in metrics(theatre)

    wanted = renew_everybody(theatre)
    kill_while_sending(theatre, sink, 2)
    theatre.until("every receipt is owed", lambda: len(owed(theatre, RECEIPT, start)) >= wanted, 60)
    theatre.calm()
    receipts, arrived = owed(theatre, RECEIPT, start), copies(sink)
    assert len(receipts) == wanted
    assert {arrived[name] for name in receipts} <= {1, 2}
    assert set(receipts.values()) <= {"sent", "unknown"}
    assert sum(state == "unknown" for state in receipts.values()) <= 2  # one that both kills hit


def metrics(theatre: Theatre) -> str:
    return requests.get(f"{theatre.site}/metrics", timeout=10).text


def test_a_mail_server_that_misbehaves(theatre: Theatre, sink: SmtpSink) -> None:
    reader = Reader(theatre)

    def thank(mode: str, wanted: str) -> str:
        """A gift while the mail server is like that; the reader's address, once the letter is in the wanted state."""
        sink.mode = mode
        gift = reader.begin(frequency="month")
        reader.pay(gift)
        theatre.until(f"the letter is {wanted}, {mode}", lambda: state_of(theatre, gift.email) == wanted)
        return gift.email

    def got(email: str) -> int:
        return sum(letter.recipient == email for letter in sink.received)

    tried = {mode: thank(mode, "pending") for mode in ("451", "421", "451-data", "drop-at-data")}
    for email in tried.values():
        assert got(email) == 0
    refused = [thank(mode, "failed") for mode in ("550", "550-data")]
    unknown = thank("drop-after-data", "unknown")
    assert got(unknown) == 1
    quit_badly = thank("drop-at-quit", "sent")

    sink.mode = "250"
    theatre.the_next_try_comes()
    theatre.sweep()
    for mode, email in tried.items():
        theatre.until(f"the letter is sent, {mode}", lambda email=email: state_of(theatre, email) == "sent")
    assert [got(email) for email in (*tried.values(), quit_badly, unknown)] == [1] * 6
    assert [got(email) for email in refused] == [0, 0]
    assert [state_of(theatre, email) for email in (*refused, unknown)] == ["failed", "failed", "unknown"]


def test_a_mail_server_that_is_gone_and_one_that_hangs_up(theatre: Theatre, sink: SmtpSink) -> None:
    start = newest(theatre)
    sink.__exit__()
    crowd(theatre, 4, frequency="month")
    theatre.until("the letters wait", lambda: list(owed(theatre, THANKS, start).values()) == ["pending"] * 4)
    tried = "SELECT 1 FROM members_message WHERE error <> '' AND id > %s"
    theatre.until("one was tried", lambda: theatre.sql(tried, start))
    sink.__enter__()
    theatre.the_next_try_comes()
    theatre.sweep()
    theatre.calm()
    assert Counter(owed(theatre, THANKS, start).values()) == {"sent": 4}

    sink.mode = "drop-after-data"
    wanted = renew_everybody(theatre)

    def unanswered() -> int:
        rows = theatre.sql("SELECT state, unanswered FROM members_message WHERE kind = %s AND id > %s", RECEIPT, start)
        return rows.count(("pending", 1))

    theatre.until("each receipt was handed over and never answered", lambda: unanswered() == wanted, 60)
    sink.mode = "250"
    theatre.the_next_try_comes()
    theatre.sweep()
    theatre.calm()
    receipts, arrived = owed(theatre, RECEIPT, start), copies(sink)
    assert Counter(receipts.values()) == {"sent": wanted}
    assert {arrived[name] for name in receipts} == {2}


def test_work_that_takes_long_holds_up_no_letter(theatre: Theatre, sink: SmtpSink) -> None:
    """Both hands of the bulk worker are stopped in the middle of their work, and its queue is long."""
    theatre.until("the bulk worker is heard of", lambda: theatre.sql(BULK_IS_HEARD), 60)
    bulk = theatre.programs.pid("bulk")
    os.killpg(bulk, signal.SIGSTOP)
    try:
        with Celery(broker=theatre.valkey.url, set_as_current=False) as sender:
            for _ in range(50):
                sender.send_task("payments.tasks.run_daily_jobs", queue="bulk")
        reader = Reader(theatre)
        gift = reader.begin(frequency="month")
        reader.pay(gift)
        theatre.until("the letter is sent all the same", lambda: state_of(theatre, gift.email) == "sent", 15)
        assert sum(letter.recipient == gift.email for letter in sink.received) == 1
        with Redis.from_url(theatre.valkey.url) as valkey:
            assert int(valkey.llen("bulk")) >= 40, "its work was done meanwhile: it proves nothing"
            valkey.delete("bulk")
    finally:
        os.killpg(bulk, signal.SIGCONT)

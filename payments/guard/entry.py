"""The answer to one reader who wants to go on to Stripe: pass, prove some work first, or wait.

No reader is refused because others give. Too many gifts begun, from one network or in all, ask for proof of work; only
suspicious sources are held back, and only while the door is closed to them or their network is crowded. Without Redis
the limits are stricter (members/limits.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.http import HttpRequest

from members import limits
from members.newsroom import values as newsroom
from payments.guard import door, marks, tries
from payments.guard.door import State

# Visits to Stripe's pages from a link in an email: a gift's own, and those of its network.
MOST_OF_GIFT, MOST_OF_NETWORK, VISITS_SECONDS = 10, 60, 600


class Answer(StrEnum):
    PASS = "pass"  # noqa: S105 - no password
    PROOF = "proof"
    HELD = "held"


@dataclass(frozen=True)
class Verdict:
    """The answer, and the state of the door that it was given in: it decides how long a session lasts."""

    answer: Answer
    state: State


def ask(request: HttpRequest, email: str, use_proof: Callable[[], bool]) -> Verdict:
    """Count one more gift that begins, and return whether it may.

    `use_proof` uses up the proof that came with the form, and is called once at most, where one is needed. Only what
    could pass counts in all: who is held back, or proves nothing, moves the door for nobody.
    """
    seconds = newsroom.number("CHECKOUT_LIMIT_SECONDS")
    most, most_in_all = (newsroom.number(f"CHECKOUT_LIMIT_{each}") for each in ("PER_NETWORK", "IN_ALL"))
    is_crowded = not limits.hit_from(request, "checkout-network", most, seconds)
    state = door.state()
    is_suspect = bool(tries.suspects() & {*marks.of_request(request), marks.of_address(email)})
    if is_suspect and (is_crowded or state == State.CLOSED):
        return Verdict(Answer.HELD, state)
    has_proved = False
    if is_suspect or is_crowded or state != State.NORMAL:
        state = State.GUARDED if state == State.NORMAL else state
        has_proved = use_proof()
        if not has_proved:
            return Verdict(Answer.PROOF, state)
    if not limits.hit("checkout-all", "", most_in_all, seconds) and door.state() == State.NORMAL:
        state = door.judge(is_busy=True)
    if state != State.NORMAL and not (has_proved or use_proof()):
        return Verdict(Answer.PROOF, state)
    return Verdict(Answer.PASS, state)


def may_visit(request: HttpRequest, page: str, gift: str) -> bool:
    """Count a visit to one of Stripe's pages for a gift, named by its public id; return whether it is within limits."""
    of_gift = limits.hit(f"visit-{page}", gift, MOST_OF_GIFT, VISITS_SECONDS)
    return limits.hit_from(request, f"visit-{page}-network", MOST_OF_NETWORK, VISITS_SECONDS) and of_gift

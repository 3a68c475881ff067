"""Proof of work: the reader's browser computes for a moment before a gift may begin while the door is guarded.

The challenge is ALTCHA's (https://altcha.org), signed by us, good for ten minutes, for one form and sum. A proof is
used once: those that were used are rows. static/proof.js computes; without script a link by email takes its place.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import timedelta

import altcha
from django.conf import settings
from django.utils import timezone

from payments.guard.door import State
from payments.models import SpentProof

ALGORITHM = "PBKDF2/SHA-256"
# Rounds of one guess; some 256 guesses find a key. A phone takes a second or two.
COST = {State.NORMAL: 2000, State.GUARDED: 2000, State.CLOSED: 6000}
LIVES_SECONDS = 600
LONGEST = 4096
# A double click sends a form and its proof twice, for one checkout.
DOUBLE_CLICK = timedelta(seconds=20)
KEPT = timedelta(hours=1)


@dataclass(frozen=True)
class Bound:
    """The form that a challenge is made for, by its key, and its choice."""

    form_key: str
    frequency: str
    amount: int
    currency: str

    @property
    def name(self) -> str:
        facts = "\x1f".join((self.form_key, self.frequency, str(self.amount), self.currency))
        return hashlib.sha256(facts.encode()).hexdigest()[:32]


def challenge(bound: Bound, state: State) -> str:
    """Return a new challenge as JSON, for the page."""
    made = altcha.create_challenge(
        algorithm=ALGORITHM,
        cost=COST[state],
        expires_at=int(time.time()) + LIVES_SECONDS,
        data={"form": bound.name},
        hmac_secret=_secret(),
    )
    return json.dumps(made.to_dict())


def use(text: str, bound: Bound, form: str) -> bool:
    """Return whether this is a proof for a challenge of ours that is made for `bound`, and use it up.

    `form` names the form with its answers: a double click may use the proof twice, another form may not. Of many
    that send one proof at the same time, one passes. Raises nothing, whatever the text.
    """
    return bool(nonce := _nonce(text, bound)) and _spend(nonce, form)


def _nonce(text: str, bound: Bound) -> str:
    """Return the nonce of a proof that is right and not expired, or ""."""
    if not text or len(text) > LONGEST:
        return ""
    try:
        payload = altcha.Payload.from_base64(text)
        if payload.challenge.parameters.data != {"form": bound.name}:
            return ""
        is_right = altcha.verify_solution(payload, _secret()).verified
    except Exception:  # whatever a stranger sends: the library raises many errors for a wrong form
        return ""
    return str(payload.challenge.parameters.nonce) if is_right else ""


def _spend(nonce: str, form: str) -> bool:
    row = SpentProof(nonce=nonce[:64], form=form[:64], spent_at=timezone.now())
    SpentProof.objects.bulk_create([row], ignore_conflicts=True)
    spent = SpentProof.objects.get(nonce=row.nonce)
    return spent.form == row.form and row.spent_at - spent.spent_at < DOUBLE_CLICK


def trim() -> None:
    """Delete used proofs that have long expired."""
    SpentProof.objects.filter(spent_at__lt=timezone.now() - KEPT).delete()


def _secret() -> bytes:
    return hmac.new(settings.SECRET_KEY.encode(), b"guard.proof", hashlib.sha256).digest()

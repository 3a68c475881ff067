"""The privacy map of the shield: where gifts came from, tries that failed, and staff's own searches and log."""

from __future__ import annotations

from django.db.models import Q

from members.models import RecoveryCode, StaffLogEntry, StoredSearch
from members.rights.lines import Basis, Erase, Kept, Line, Period
from members.rights.person import Person
from payments.guard import marks
from payments.models import CheckoutOrigin, DoorPeriod, FailedTry, HeldGift, HeldRefund, SessionExpiry, SpentProof
from payments.rights.kept_gifts import checkouts_of

LAW, INTEREST, WEEK = Basis.LAW, Basis.INTEREST, Period.WEEK
MARK = Line("to find out who tests stolen cards, as a keyed hash", INTEREST, WEEK, Erase.ROW)


def _with_mark(person: Person) -> Q:
    """Return the condition for rows that hold the mark of one of the person's addresses."""
    return Q(address__in=[marks.of_address(address) for address in person.addresses])


SHIELD = (
    Kept(
        CheckoutOrigin,
        lambda person: checkouts_of(person, "checkout__") | _with_mark(person),
        {"networks": MARK, "address": MARK},
    ),
    Kept(
        FailedTry,
        lambda person: checkouts_of(person, "checkout__") & Q(checkout__isnull=False) | _with_mark(person),
        {
            "key": Line("to count a try once", INTEREST, WEEK, Erase.ROW),
            "networks": MARK,
            "address": MARK,
            "card": MARK,
        },
    ),
    Kept(
        HeldGift,
        _with_mark,
        {"key": Line("to count a gift once", INTEREST, WEEK, Erase.ROW), "address": MARK},
        nothing=("currency",),
    ),
    Kept(
        SessionExpiry,
        lambda person: checkouts_of(person, "checkout__"),
        {
            "public_id": Line("to ask Stripe once", INTEREST, Period.BOOKS, Erase.SEALED),
            "stripe_session_id": Line("to close a session once", INTEREST, Period.BOOKS, Erase.SEALED),
            "error": Line("to know what Stripe said", INTEREST, Period.BOOKS, Erase.EMPTIED),
        },
        nothing=("stripe_params",),
    ),
    Kept(DoorPeriod),
    Kept(SpentProof, nothing=("nonce", "form")),
)

STAFF = (
    Kept(
        HeldRefund,
        lambda person: Q(payment__supporter=person.number),
        {
            "public_id": Line("to send money back once", LAW, Period.BOOKS, Erase.SEALED),
            "sentence": Line("to explain the refund", Basis.CONTRACT, Period.KNOWN, Erase.EMPTIED),
        },
    ),
    # Numbers and keyed hashes: an erased person's page is a number that leads to nobody.
    Kept(StaffLogEntry, nothing=("action", "target", "target_id", "details", "previous", "digest")),
    # Gone after hours, and all of them when somebody is erased.
    Kept(StoredSearch, nothing=("id", "place", "term")),
    Kept(RecoveryCode, nothing=("hashed_code",)),
)

KEPT = (*SHIELD, *STAFF)

"""Erasing a person: asked for, confirmed, called off, and carried out, at once or when it is due.

Carrying out is one transaction here (requests to Stripe are stored, everything is erased), then Stripe is asked until
it has answered: stop the gifts, delete the customers. So a crash leaves all or nothing here, and requests that a task
sends again every minute. Called by the desk, by commands, by the task, and by the patron's page.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from members import clock
from members.mail import files
from members.models import Supporter, TimelineEntry
from members.rights import tombstones
from members.rights.person import Person
from payments import locks
from payments.crash_points import crash_at
from payments.errors import AlreadyStopped, NotOpen, SamePerson
from payments.models import Checkout, Erasure, Payment, Subscription, SubscriptionChange
from payments.recurring import changes
from payments.rights import deletions, forgetting, people

log = logging.getLogger("hromada.rights")

State = Erasure.State
SURFACE = "erasing"
CASE_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Preview:
    """The effects of erasing a person: gifts that end, customers deleted at Stripe, rows by model, payments that stay.

    `with_bank` counts payments whose money may still come: it is booked then, on a row without a name.
    """

    gifts: int
    customers: int
    rows: dict[str, int]
    payments: int
    with_bank: int


def preview(person: Person) -> Preview:
    """Return what erasing this person would do. Changes nothing, asks Stripe nothing."""
    own = {"supporter": person.number}
    whole = people.whole(person)
    return Preview(
        gifts=Subscription.objects.alive().filter(**own).count(),
        customers=len(people.customers_of(whole)),
        rows=forgetting.counts(whole),
        payments=Payment.objects.filter(**own).count(),
        with_bank=Payment.objects.filter(**own, status=Payment.Status.PROCESSING).count(),
    )


@transaction.atomic
def ask(
    supporter: Supporter,
    surface: str,
    due_at: datetime | None = None,
    actor: User | None = None,
    *,
    needs_second: bool = False,
) -> Erasure:
    """Store a request to erase a supporter and return it; an open one is returned as it is.

    It is carried out by the task from `due_at` on, now unless given. With `needs_second`, only after another member of
    staff has confirmed it. Locks the supporter's row. Raises NotOpen if the supporter was erased before.
    """
    row = Supporter.objects.select_for_update().get(pk=supporter.pk)
    if known := row.erasures.filter(state__in=Erasure.OPEN).first():
        return known
    if row.erased_at:
        raise NotOpen
    state = State.ASKED if needs_second else State.PLANNED
    made = row.erasures.create(state=state, surface=surface, requested_by=actor, due_at=due_at or clock.now())
    TimelineEntry.objects.create(supporter=row, action="supporter.erasing_asked", actor=actor, details={})
    log.info("erasure.asked erasure=%s actor=%s", made.pk, actor.pk if actor else None)
    return made


@transaction.atomic
def confirm(erasure: Erasure, actor: User) -> Erasure:
    """Confirm a request of a colleague, so that it is carried out when it is due; return it.

    Raises SamePerson for whoever asked, NotOpen if it was called off, confirmed or carried out.
    """
    row = Erasure.objects.select_for_update().get(pk=erasure.pk)
    if row.state != State.ASKED:
        raise NotOpen
    if row.requested_by_id == actor.pk:
        raise SamePerson
    row.state, row.confirmed_by = State.PLANNED, actor
    row.save(update_fields=["state", "confirmed_by"])
    log.info("erasure.confirmed erasure=%s actor=%s", row.pk, actor.pk)
    return row


@transaction.atomic
def call_off(erasure: Erasure, actor: User | None = None) -> Erasure:
    """Call off a request that has not been carried out; return it. Raises NotOpen if it is too late."""
    row = Erasure.objects.select_for_update().get(pk=erasure.pk)
    if row.state not in (State.ASKED, State.PLANNED):
        raise NotOpen
    row.state = State.CALLED_OFF
    row.save(update_fields=["state"])
    TimelineEntry.objects.create(
        supporter_id=row.supporter_id, action="supporter.erasing_called_off", actor=actor, details={}
    )
    log.info("erasure.called_off erasure=%s actor=%s", row.pk, actor.pk if actor else None)
    return row


def erase(person: Person, surface: str, actor: User | None = None) -> Erasure:
    """Erase a person now and return the erasure; it is done once Stripe has accepted everything.

    Called again for somebody who was erased, it asks Stripe again for what is open or was refused. Never call it
    inside a transaction.
    """
    if person.supporter is None:
        return _erase_address(person, surface, actor)
    if known := person.supporter.erasures.filter(state=State.DONE).first():
        return known
    erasure = ask(person.supporter, surface, actor=actor)
    if erasure.state == State.AT_STRIPE:
        deletions.ask_refused_again(erasure)
    else:
        # Asked for now, whoever had asked for it before, and for when.
        Erasure.objects.filter(pk=erasure.pk).update(state=State.PLANNED, due_at=clock.now())
    return carry_out(erasure)


def carry_out(erasure: Erasure, *, asks_stripe: bool = True) -> Erasure:
    """Carry out an erasure that is due, or go on with one; return it as it is then.

    Without `asks_stripe` only what is here is erased, for somebody who waits: the task asks Stripe.

    Idempotent; of several processes one works, the others wait. Never call it inside a transaction. Raises nothing if
    Stripe does not answer or refuses.
    """
    with locks.held(f"erasure:{erasure.public_id}"):
        erasure.refresh_from_db()
        if erasure.state == State.PLANNED and erasure.due_at <= clock.now():
            _forget(erasure)
            crash_at("after-forgotten")
        if asks_stripe and erasure.state == State.AT_STRIPE and deletions.ask_all(erasure):
            erasure.state, erasure.done_at = State.DONE, clock.now()
            erasure.save(update_fields=["state", "done_at"])
            log.info("erasure.done erasure=%s", erasure.pk)
    return erasure


def carry_out_by_id(erasure_id: int) -> None:
    """Carry out the erasure with this id, if there is one. Called by the task that the desk wakes."""
    if erasure := Erasure.objects.filter(pk=erasure_id, state__in=Erasure.OPEN).first():
        carry_out(erasure)


def carry_out_due() -> int:
    """Carry out what is due and go on with what Stripe has not answered; return how many are done now.

    One that fails does not hold up the others. After an hour without an answer, staff have a case.
    """
    done = 0
    now = clock.now()
    for erasure in list(Erasure.objects.filter(state__in=(State.PLANNED, State.AT_STRIPE), due_at__lte=now)):
        try:
            done += carry_out(erasure).state == State.DONE
        except Exception as problem:  # one that fails must not hold up the others
            log.error("erasure %s failed: %s", erasure.pk, type(problem).__name__)
            continue
        if erasure.forgotten_at and erasure.forgotten_at < now - CASE_AFTER:
            deletions.note_unanswered(erasure)
    return done


def erase_returned() -> int:
    """Erase everybody again whom a restored backup has brought back; return how many. Idempotent."""
    count = 0
    for person in _returned():
        erase(person, "restore")
        count += 1
    return count


def _returned() -> Iterator[Person]:
    for supporter in tombstones.returned():
        yield people.of(supporter)
    addresses = Checkout.objects.filter(supporter=None).order_by().values_list("email", flat=True).distinct()
    for email in list(addresses):
        at = tombstones.erased_at(email)
        if at and Checkout.objects.filter(supporter=None, email__iexact=email, created_at__lt=at).exists():
            yield people.find(email)


def _forget(erasure: Erasure) -> None:
    """Store the requests to Stripe and erase everything here, in one transaction.

    Emails that lie in files are removed before, as nobody knows the addresses afterwards, and again after it, because
    a sender may have written one in between. What belongs to the person is found under the lock of their row: a drain
    that works on their events at this moment has committed then, or waits.
    """
    known = people.with_former_addresses(people.of(Supporter.objects.get(pk=erasure.supporter_id)))
    files.remove_to(known.addresses)
    with transaction.atomic(durable=True):
        locked = Supporter.objects.select_for_update().get(pk=erasure.supporter_id)
        person = people.whole(people.of(locked))
        _record_stops(erasure.supporter)
        deletions.record(erasure, people.customers_of(person))
        _finish_here(erasure, person)
        crash_at("before-forgotten")
    files.remove_to(person.addresses)
    tombstones.keep_copy()


def _finish_here(erasure: Erasure, person: Person) -> None:
    now = clock.now()
    forgetting.forget(person, now)
    TimelineEntry.objects.create(supporter_id=erasure.supporter_id, action="supporter.erased", details={})
    erasure.state, erasure.forgotten_at = State.AT_STRIPE, now
    erasure.save(update_fields=["state", "forgotten_at"])
    log.info("erasure.forgotten erasure=%s", erasure.pk)


def _record_stops(supporter: Supporter) -> None:
    """Store a request to end each gift at once. One that is set to stop already ends with the customer."""
    for subscription in Subscription.objects.alive().filter(supporter=supporter):
        try:
            changes.record_stop(subscription, SURFACE, at_once=True)
        except AlreadyStopped:
            continue
    waiting = SubscriptionChange.objects.filter(
        subscription__supporter=supporter, state=SubscriptionChange.State.REQUESTED
    )
    waiting.exclude(kind=SubscriptionChange.Kind.STOP).update(state=SubscriptionChange.State.SUPERSEDED)


def _erase_address(person: Person, surface: str, actor: User | None) -> Erasure:
    """Erase what is kept about an address that never gave, on a new row without a name."""
    person = people.whole(person)
    files.remove_to(person.addresses)
    with transaction.atomic(durable=True):
        supporter = tombstones.erased_supporter(uuid.uuid4())
        erasure = supporter.erasures.create(surface=surface, requested_by=actor)
        deletions.record(erasure, people.customers_of(person))
        _finish_here(erasure, Person(supporter, person.addresses, person.ids))
        crash_at("before-forgotten")
    files.remove_to(person.addresses)
    tombstones.keep_copy()
    return carry_out(erasure)

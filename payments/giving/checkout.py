"""An attempt to give (Checkout): from the reader's choice to Stripe's page, and finding it again by its public id.

Called by the reader's pages (prepare, lead, has_begun, state_of ...) and by the rules that follow Stripe's events
(find, giver, follow ...). Payments and subscriptions are recorded from events by books/ and recurring/, not here.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable

from django.db import IntegrityError, connection, transaction

from members import clock, people
from members.links import public_ids
from members.models import Consent, Supporter
from payments.errors import CheckoutLost, NotOurs, StripeRefused
from payments.giving import own_customers, references, sessions
from payments.giving.choices import Choice, Person
from payments.giving.sessions import return_url
from payments.inbox import queue
from payments.models import Checkout, Payment, StripeEvent
from payments.stripe_api import objects

# However often the return page is opened, the session is read from Stripe at most once in this time.
LOOK_EVERY_SECONDS = 4
MOST_READS = 6


def begin(choice: Choice, person: Person, consent_words: str, form_key: str) -> str:
    """Prepare a checkout and return the address to send the reader to. See `prepare` and `lead`."""
    return lead(prepare(choice, person, consent_words, form_key))


def prepare(choice: Choice, person: Person, consent_words: str, form_key: str, *, is_short: bool = False) -> Checkout:
    """Return the checkout of this form and these answers, committed with the parameters of its session.

    The same form with the same answers is the same checkout, so that a double click, a reload or a second try after
    StripeUnavailable makes one session. `is_short`: a new session lasts half an hour. Calls nobody.
    """
    key = form_name(choice, person, form_key)
    found = Checkout.objects.filter(form_key=key).first()
    if found is None:
        return _make(choice, person, consent_words, key, is_short)
    return start_again(found, is_short=is_short) if found.status == Checkout.Status.EXPIRED else found


def start_again(checkout: Checkout, *, is_short: bool) -> Checkout:
    """Prepare another session of a checkout that has none which can be paid. Committed; returns the checkout."""
    own = str(checkout.stripe_params.get("customer", ""))
    checkout.stripe_params = sessions.params(checkout, own, is_short=is_short)
    return _begin_next_attempt(checkout)


def lead(checkout: Checkout) -> str:
    """Return the address to send the reader to: Stripe's page, or our return page if there is nothing more to do there.

    The row was committed before Stripe is called. Raises StripeUnavailable and StripeRefused. Safe to call
    concurrently. Never call it in a transaction.
    """
    if checkout.status in Checkout.DONE_AT_STRIPE:
        return return_url(checkout)
    if not checkout.stripe_session_url:
        session_id, url = _session(checkout)
        Checkout.objects.filter(pk=checkout.pk).update(stripe_session_id=session_id, stripe_session_url=url)
        Checkout.objects.filter(pk=checkout.pk, status=Checkout.Status.STARTED).update(status=Checkout.Status.OPEN)
        checkout.stripe_session_url = url
    return checkout.stripe_session_url


def has_begun(choice: Choice, person: Person, form_key: str) -> bool:
    """Return whether this form with these answers has a session already, so that sending it again makes nothing new."""
    begun = (Checkout.Status.OPEN, *Checkout.DONE_AT_STRIPE)
    return Checkout.objects.filter(form_key=form_name(choice, person, form_key), status__in=begun).exists()


def form_name(choice: Choice, person: Person, form_key: str) -> str:
    """Return the key of a form with its answers: the same form with other answers is another checkout."""
    answers = [form_key, choice.frequency, str(choice.amount), choice.currency, person.email, person.name]
    return hashlib.sha256("\x1f".join(answers).encode()).hexdigest()


def state_of(checkout: Checkout, *, left: bool = False) -> str:
    """Return the state to show on the return page.

    It is paid, processing, failed, expired, waiting (a voucher, a transfer, small deposits), not_finished or checking.
    Read from our rows only; payments decide first. `left`: the reader came back by the link for leaving Stripe's page,
    so that a checkout that is not complete is not_finished instead of checking.
    """
    statuses = {payment.status for payment in checkout.payments.all()}
    for status, state in (
        (Payment.Status.SUCCEEDED, "paid"),
        (Payment.Status.PROCESSING, "processing"),
        (Payment.Status.FAILED, "failed"),
    ):
        if status in statuses:
            return state
    if checkout.status == Checkout.Status.EXPIRED:
        return "expired"
    if checkout.status == Checkout.Status.WAITING:
        return "waiting"
    return "not_finished" if left and checkout.status != Checkout.Status.COMPLETE else "checking"


def claim_read(checkout: Checkout) -> StripeEvent | None:
    """Claim a read of the session from Stripe, to be processed at once; None if it is not due, or without a session.

    Every page view may call it: at most once in LOOK_EVERY_SECONDS, and MOST_READS times in all.
    """
    if not checkout.stripe_session_id:
        return None
    wanted = ("checkout.session", checkout.stripe_session_id)
    return queue.claim_read(*wanted, every_seconds=LOOK_EVERY_SECONDS, most=MOST_READS)


def find(public_id: str) -> Checkout:
    """Return the checkout with this public id, taken from Stripe's metadata.

    Raises NotOurs if it is no id of this software's, such as "", and CheckoutLost if the row is missing.
    """
    if not is_name(public_id):
        raise NotOurs("no checkout id in its metadata")
    try:
        return Checkout.objects.get(public_id=uuid.UUID(public_id))
    except Checkout.DoesNotExist:
        raise CheckoutLost(f"checkout {public_id}") from None


def giver(checkout: Checkout) -> Supporter:
    """Return the supporter of a checkout, found or made by the email address, with the row locked.

    Call it only when money has arrived or is with the bank: a typed address alone makes no supporter.
    """
    if checkout.supporter_id:
        return Supporter.objects.select_for_update().get(pk=checkout.supporter_id)
    return find_givers([checkout])[0]


def find_givers(begun: Collection[Checkout]) -> list[Supporter]:
    """Return the supporters of many checkouts that have none yet, like `giver`, in the same order. Two statements."""
    supporters = people.get_and_lock_all([people.Giver(one.email, one.name, one.language) for one in begun])
    for checkout, supporter in zip(begun, supporters, strict=True):
        checkout.supporter = supporter
    with connection.cursor() as cursor:
        cursor.execute(_SET_SUPPORTERS, [[one.pk for one in begun], [one.pk for one in supporters]])
    return supporters


_SET_SUPPORTERS = """
UPDATE payments_checkout SET supporter_id = found.supporter
FROM unnest(%s::bigint[], %s::bigint[]) AS found (checkout, supporter) WHERE id = found.checkout
"""


def without_giver(names: Iterable[str]) -> dict[str, Checkout]:
    """Return the checkouts with these public ids that have no supporter yet, by id. Unknown ids are left out."""
    ids = {name: public_id for name in names if (public_id := public_ids.parse(name))}
    found = Checkout.objects.filter(supporter=None).in_bulk(ids.values(), field_name="public_id")
    return {name: found[public_id] for name, public_id in ids.items() if public_id in found}


def follow(session: objects.Session, intent: objects.PaymentIntent | None = None) -> Checkout | None:
    """Mark the checkout of a session as waiting, complete or expired, as Stripe reports, and return it. Idempotent.

    `intent` is the session's, or that of its subscription's first invoice. A complete checkout stays complete, and only
    its newest session can expire it. Return None if the row is missing
    and the session led to no money. Raises NotOurs, and CheckoutLost if the row is missing and the session did.
    """
    try:
        checkout = find(session.checkout)
    except CheckoutLost:
        if session.led_to_money:
            raise
        return None
    unpaid = intent if session.payment_status == "unpaid" else None
    open_ones = Checkout.objects.filter(pk=checkout.pk).exclude(status=Checkout.Status.COMPLETE)
    never_came = session.status == "complete" and unpaid is not None and unpaid.never_came
    if never_came or (session.status == "expired" and session.id == checkout.stripe_session_id):
        open_ones.update(status=Checkout.Status.EXPIRED)
    elif session.status == "complete" and unpaid and unpaid.awaits_giver:
        open_ones.update(status=Checkout.Status.WAITING)
    elif session.status == "complete" and checkout.status != Checkout.Status.COMPLETE:
        checkout.status, checkout.completed_at = Checkout.Status.COMPLETE, clock.now()
        checkout.save(update_fields=["status", "completed_at"])
    return checkout


def lapse(name: str) -> None:
    """Mark the checkout with this public id as expired if it waits for its giver, who never paid. Idempotent."""
    if public_id := public_ids.parse(name):
        waiting = Checkout.objects.filter(public_id=public_id, status=Checkout.Status.WAITING)
        waiting.update(status=Checkout.Status.EXPIRED)


def is_name(name: str) -> bool:
    """Return whether a value from Stripe's metadata has the form of a checkout's public id. Never raises."""
    return public_ids.parse(name) is not None


def _session(checkout: Checkout) -> tuple[str, str]:
    """Return (id, URL) of the session of a checkout: that of its attempt, or else of a new one.

    If Stripe refuses the customer of an earlier gift, for instance because it was deleted, it makes a new customer; if
    it refuses the end of a short session, because this try comes late, the session gets another end.
    """
    try:
        return sessions.create_or_find(checkout) or sessions.create(_begin_next_attempt(checkout))
    except StripeRefused as problem:
        is_late = problem.param == "expires_at"
        own, is_short = str(checkout.stripe_params.get("customer", "")), "expires_at" in checkout.stripe_params
        if not (own or is_late):
            raise
    checkout.stripe_params = sessions.params(checkout, own if is_late else "", is_short=is_short)
    return sessions.create(_begin_next_attempt(checkout))


def _make(choice: Choice, person: Person, consent_words: str, key: str, is_short: bool) -> Checkout:
    """Make and commit the checkout with this form key; return that of another request if it was faster."""
    try:
        with transaction.atomic():
            checkout = Checkout(
                reference=references.new(),
                form_key=key,
                frequency=choice.frequency,
                amount=choice.amount,
                currency=choice.currency,
                email=person.email,
                name=person.name,
                language=person.language,
                campaign=choice.campaign,
                appeal=choice.appeal,
                article=choice.article,
                consent=_consent(consent_words, person.language),
            )
            own = own_customers.customer(choice.again, person.email, choice.frequency, choice.currency)
            checkout.stripe_params = sessions.params(checkout, own, is_short=is_short)
            checkout.save(force_insert=True)
            return checkout
    except IntegrityError:
        # The other request of a double click was faster; or, once in millions, the reference was taken.
        twin = Checkout.objects.filter(form_key=key).first()
        return twin or _make(choice, person, consent_words, key, is_short)


def _begin_next_attempt(checkout: Checkout) -> Checkout:
    """Start another attempt, with a new idempotency key, because the last one has no session that can be paid.

    Committed before Stripe is called. Return the checkout.
    """
    checkout.attempt += 1
    checkout.attempt_at = clock.now()
    checkout.status = Checkout.Status.STARTED
    checkout.stripe_session_id = None
    checkout.stripe_session_url = ""
    told = ["attempt", "attempt_at", "status", "stripe_params", "stripe_session_id", "stripe_session_url"]
    checkout.save(update_fields=told)
    return checkout


def _consent(words: str, language: str) -> Consent:
    version = hashlib.sha256(words.encode()).hexdigest()[:16]
    return Consent.objects.create(
        purpose="gift", words=words, words_version=version, language=language, surface="support.details"
    )

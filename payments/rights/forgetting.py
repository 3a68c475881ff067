"""Erasing everything here that the privacy map does not seal: the rows of one person, in the caller's transaction.

The rows themselves stay where money hangs on them, without a word that leads to the person. Called by erasing.py, and
by the drain after events about somebody who was erased, so that nothing that Stripe reports later stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db.models import CharField, F, Field, Func, Model, Value
from django.db.models.functions import Cast

from members.models import Message, Supporter, Suppression
from members.rights import tombstones
from members.rights.lines import Erase, Kept
from members.rights.person import Person
from members.staff import searches
from payments.inbox import late
from payments.models import Checkout, MethodChange, OverdueTry, StripeEvent, StripeRequest
from payments.rights import people
from payments.rights.map import MAP


def forget(person: Person, at: datetime) -> dict[str, int]:
    """Erase a person's data here and keep their tombstones; return how many rows of each model were dealt with.

    The person needs a supporter's row: that of an address without one is made before. Idempotent. Raises nothing of
    its own; call it in a transaction.
    """
    supporter = person.supporter
    assert supporter is not None  # noqa: S101 - see above
    Supporter.objects.select_for_update().get(pk=supporter.pk)
    # All rows are found before the first one changes: some are found by the address.
    found = {kept: _rows(kept, person) for kept in MAP if kept.of}
    tombstones.keep(supporter, person.addresses, person.ids, at)
    _take_back(person, supporter)
    searches.forget_all()
    for kept, numbers in found.items():
        _erase_rows(kept, numbers, supporter)
    Supporter.objects.filter(pk=supporter.pk).update(erased_at=at, is_discreet=False)
    return {kept.model._meta.label: len(numbers) for kept, numbers in found.items() if numbers}


def forget_again(events: Iterable[StripeEvent]) -> None:
    """Erase again what the effects of these events have written about erased people, in the same transaction.

    Reduces those events. For all others it is one query for the batch. After the effects, because somebody may have
    been erased after the events were read.
    """
    done = list(events)
    late.reduce([event for event in done if event.trimmed_at is None])
    reduced = [event for event in done if event.trimmed_at]
    if not reduced:
        return
    for supporter in Supporter.objects.filter(public_id__in=late.people_of(reduced)).exclude(erased_at=None):
        person = people.of(supporter)
        assert supporter.erased_at is not None  # noqa: S101 - filtered
        tombstones.keep(supporter, (), person.ids, supporter.erased_at)
        for kept in MAP:
            if kept.of and kept.model not in (StripeEvent, Suppression, Supporter):
                _erase_rows(kept, _rows(kept, person), supporter)


def counts(person: Person) -> dict[str, int]:
    """Return how many rows of each model `forget` would deal with. Changes nothing."""
    found = {kept.model._meta.label: len(_rows(kept, person)) for kept in MAP if kept.of}
    return {label: number for label, number in found.items() if number}


def _rows(kept: Kept, person: Person) -> list[Any]:
    assert kept.of is not None  # noqa: S101 - the callers leave the others out
    return list(kept.model._default_manager.filter(kept.of(person)).values_list("pk", flat=True).distinct())


def _take_back(person: Person, supporter: Supporter) -> None:
    """Cancel unsent emails and requests that must not reach Stripe any more; give checkouts to the person's row.

    Money that comes late for a checkout is then booked on that row, and makes no new supporter of a placeholder. A
    request left open could set a card on a gift that ends, or take an overdue payment.
    """
    letters = Message.objects.filter(supporter=supporter, state__in=(Message.State.PENDING, Message.State.SENDING))
    letters.update(state=Message.State.CANCELED, withheld=Message.Withheld.ERASED, lease_until=None)
    begun = Checkout.objects.filter(person.with_address("email"), supporter=None)
    begun.update(supporter=supporter)
    for model, path in ((MethodChange, "subscription__supporter"), (OverdueTry, "payment__supporter")):
        waiting = model._default_manager.filter(state=StripeRequest.State.REQUESTED, **{path: supporter})
        waiting.update(state=StripeRequest.State.SUPERSEDED)


def _erase_rows(kept: Kept, numbers: list[Any], supporter: Supporter) -> None:
    rows = kept.model._default_manager.filter(pk__in=numbers)
    rules = {line.erase for line in kept.lines.values()}
    if not numbers or rules == {Erase.SEALED}:
        return
    if Erase.ROW in rules:
        rows.delete()
    elif Erase.HASHED in rules:
        _hash(rows)
    elif Erase.REDUCED in rules:
        late.reduce_rows(StripeEvent.objects.filter(pk__in=numbers))
    else:
        fields = {field.name: field for field in kept.model._meta.concrete_fields}
        ruled = {name: line.erase for name, line in kept.lines.items() if line.erase in VALUES}
        rows.update(**{name: VALUES[rule](fields[name], supporter) for name, rule in ruled.items()})


def _hash(suppressions: Iterable[Model]) -> None:
    """Replace the addresses of active suppressions by keyed hashes, which still hold; remove those that were lifted."""
    for row in suppressions:
        assert isinstance(row, Suppression)  # noqa: S101 - the only model with this rule
        hashed = tombstones.hashed_addresses(row.email)
        is_known = Suppression.objects.filter(email__in=hashed, lifted_at=None).exists()
        if row.lifted_at or is_known:
            row.delete()
        else:
            row.email = hashed[0]
            row.save(update_fields=["email"])


def _empty(field: Field[Any, Any], supporter: Supporter) -> Any:
    """Return the empty value of a field; for a language the newsroom's, because pages and emails need one."""
    if field.name == "language":
        return settings.LANGUAGE_CODE
    return None if field.null else field.get_default()


def _placeholder(field: Field[Any, Any], supporter: Supporter) -> str:
    return tombstones.placeholder(supporter)


def _random(field: Field[Any, Any], supporter: Supporter) -> Cast:
    return Cast(RandomUUID(), CharField())


def _kind_only(field: Field[Any, Any], supporter: Supporter) -> Func:
    """Return a method without its digits: "SEPA" still says that the bank can take the money back for weeks."""
    return Func(F(field.name), Value("[0-9 ]*[0-9]+.*$"), Value(""), function="regexp_replace")


VALUES: dict[Erase, Callable[[Field[Any, Any], Supporter], Any]] = {
    Erase.EMPTIED: _empty,
    Erase.ADDRESS: _placeholder,
    Erase.REPLACED: _random,
    Erase.SHORTENED: _kind_only,
}

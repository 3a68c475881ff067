"""Search in the desk's lists: a gift's reference or a Stripe id exactly, any other term in names and emails.

One OR across tables would read every row of a large table; two steps use the index of each table.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from members.models import Supporter
from members.staff import viewing
from payments.desk.pages import DeskAdmin
from payments.models import Checkout, Payment, Refund, Subscription

STRIPE_ID = re.compile(r"^[a-z]{2,12}_[A-Za-z0-9_]{3,250}$")
REFERENCE = re.compile(r"^HR[- ]?[A-Z0-9]{4}[- ]?[A-Z0-9]{2}$", re.IGNORECASE | re.ASCII)
PERSON_HELP = _("A name, an address, a reference or an id of Stripe. Cyrillic works too.")


def supporters_like(term: str, prefix: str = "") -> Q:
    """Return the condition that every word of the term is in the supporter's name or email, in upper or lower case.

    `prefix` is the path to the supporter, such as `payment__supporter__`.
    """
    fields = (f"{prefix}name__icontains", f"{prefix}email__icontains")
    words = [reduce(or_, (Q(**{field: word}) for field in fields)) for word in term.split()]
    return reduce(and_, words, Q())


def supporter_of(term: str) -> int | None:
    """Return the id of the supporter to whom a Stripe id or a reference belongs; None for any other term."""
    term = term.strip()
    if STRIPE_ID.match(term):
        return _first(_sources_of(term), "supporter_id")
    if REFERENCE.match(term):
        return _first([Checkout.objects.filter(reference=as_reference(term))], "supporter_id")
    return None


def as_reference(term: str) -> str:
    """Return a typed reference as it is stored, such as HR-7K4M-2Q for "hr 7k4m2q"."""
    plain = re.sub("[^A-Z0-9]", "", term.upper())
    return f"{plain[:2]}-{plain[2:6]}-{plain[6:]}"


def _sources_of(term: str) -> list[QuerySet[Any]]:
    """Return the queries that can find a Stripe id of this kind. Every column in them has an index."""
    kind = term.partition("_")[0]
    places: dict[str, list[QuerySet[Any]]] = {
        "cus": [Subscription.objects.filter(stripe_customer_id=term)],
        "sub": [Subscription.objects.filter(stripe_subscription_id=term)],
        "cs": [Checkout.objects.filter(stripe_session_id=term)],
        "pi": [Payment.objects.filter(stripe_payment_intent_id=term)],
        "in": [Payment.objects.filter(stripe_invoice_id=term)],
        "ch": [Payment.objects.filter(stripe_charge_id=term)],
        "py": [Payment.objects.filter(stripe_charge_id=term)],
        "re": [Payment.objects.filter(pk__in=Refund.objects.filter(stripe_refund_id=term).values("payment"))],
    }
    return places.get(kind, [])


def _first(sources: list[QuerySet[Any]], field: str) -> int | None:
    for source in sources:
        found: int | None = source.order_by().values_list(field, flat=True).first()
        if found:
            return found
    return None


class FindsByPerson(DeskAdmin):
    """The admin of a list whose search tries the `exact` columns first, then the supporters of the rows.

    `person` is the path from a row to its supporter.
    """

    exact: tuple[str, ...] = ()
    person = "supporter"
    searches_people = True
    search_fields = ("pk",)  # makes Django show the search field; get_search_results does the search
    search_help_text = PERSON_HELP

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = term.replace("\0", "").strip()
        if not term:
            return queryset, False
        if self.exact:
            wanted = reduce(or_, (Q(**{field: term}) for field in self.exact))
            if queryset.filter(wanted).order_by().exists():
                return queryset.filter(wanted), False
        if not viewing.sees_people(request.user) and not supporter_of(term):
            return queryset.none(), False  # a search that finds a name or not would tell it
        return queryset.filter(self.of_persons(term)), False

    def of_persons(self, term: str) -> Q:
        """Return the condition that finds rows by their supporter. Subclasses may look elsewhere too."""
        known = supporter_of(term)
        if known:
            return Q(**{f"{self.person}_id": known})
        return Q(**{f"{self.person}__in": Supporter.objects.filter(supporters_like(term)).order_by().values("pk")})

"""Base classes of all admin lists: no counting of whole tables, no errors for mangled addresses, no filters in the
address other than the list's own, and nobody shown whom the user may not see. Used by the admin pages of all apps.

Searches for people are posted and kept under a short id (members/staff/searches.py); reads and acts are logged.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from members.models import Supporter
from members.staff import searches, staff_log, viewing

# The lookups that Django's filters add to a field's name: for choices, booleans, dates and foreign keys.
OWN_LOOKUPS = ("__exact", "__isnull", "__gte", "__lt", "__id__exact")


# An id of Stripe, a reference of ours, a number or a key: what may stand in an address, because it names nobody.
NAMES_NOBODY = re.compile(r"^([a-z]{2,12}_[A-Za-z0-9_]{3,250}|HR[- ]?[A-Z0-9]{4}[- ]?[A-Z0-9]{2}|[0-9]{1,19})$")


class SearchedList(ChangeList):
    """A list whose address holds the id of a search for people, in place of what was searched for."""

    search_id = ""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        page = self.model_admin
        if self.query and not self.search_id and isinstance(page, PlainAdmin) and page.searches_people:
            self.search_id = self.query
            self.query = page.searched_for(request, self.search_id) or ""
        return super().get_queryset(request, *args, **kwargs)


class PlainAdmin(admin.ModelAdmin):
    """The base of every list.

    `person` is the path from a row to its supporter ("pk" if the rows are supporters), `typed_email` a field with an
    address of somebody: rows of people whom the user may not see are left out by them. `is_of_books` lists show such
    rows of money, without the person, to those who see no people anyway. `searches_people`: the search finds names or
    addresses.
    """

    person = ""
    typed_email = ""
    is_of_books = False
    searches_people = False
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if self.is_of_books and not viewing.sees_people(request.user):
            return rows
        return viewing.without_hidden(rows, request.user, self.person, self.typed_email)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SearchedList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.searches_people and (elsewhere := self._search_elsewhere(request)):
            return HttpResponseRedirect(elsewhere)
        if holds_nul(request) or not self._are_valid_keys(request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return HttpResponseRedirect(request.path)
        try:
            return super().changelist_view(request, extra_context)
        except DisallowedModelAdminLookup:
            return HttpResponseRedirect(request.path)

    def _search_elsewhere(self, request: HttpRequest) -> str:
        """Return the address that a request with a search is sent on to; "" if it can be answered as it is.

        A posted search is kept and logged, and its list has its id in the address. Words in an address lead to the list
        without them.
        """
        is_posted = request.method == "POST" and SEARCH_VAR in request.POST and "action" not in request.POST
        asked = request.GET.copy()
        asked.pop("p", None)
        if is_posted:
            term = request.POST[SEARCH_VAR].replace("\0", "").strip()
            asked.pop(SEARCH_VAR, None)
            if term:
                asked[SEARCH_VAR] = searches.keep(request.user, self.opts.label_lower, term)
                staff_log.record(
                    request.user, "people.searched", list=self.opts.label_lower, term=staff_log.hidden(term)
                )
            return f"{request.path}?{asked.urlencode()}"
        words = request.GET.get(SEARCH_VAR, "")
        if not words.strip("\0 ") or self.searched_for(request, words) is not None:
            return ""
        messages.warning(request, _("This search is over. Please search again."))
        asked.pop(SEARCH_VAR, None)
        return f"{request.path}?{asked.urlencode()}"

    def searched_for(self, request: HttpRequest, search_id: str) -> str | None:
        """Return what was searched for under an id, or an id of Stripe or a reference itself; else None."""
        if NAMES_NOBODY.match(search_id):
            return search_id
        return searches.find(request.user, self.opts.label_lower, search_id.replace("\0", ""))

    def person_of(self, row: Model) -> int | None:
        """Return the number of the supporter whom a row is about; None without one."""
        if not self.person:
            return None
        found: Any = row
        for name in () if self.person == "pk" else self.person.split("__"):
            found = getattr(found, name, None)
        return found.pk if isinstance(found, Supporter) else None

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.log_act(request, obj, "added")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.log_act(request, obj, message if isinstance(message, str) else "changed")
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for row in queryset:
            self.log_act(request, row, "deleted")
        return super().log_deletions(request, queryset)

    def log_act(self, request: HttpRequest, row: Any, act: str, **details: str | int | bool | None) -> None:
        """Add what somebody did to a row, or read of it, to the log of staff: `payment.send-back`, say."""
        action = f"{self.opts.model_name}.{act}"[:60]
        staff_log.record(request.user, action, row, person=self.person_of(row), **details)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Return whether one of the list's own filters uses this lookup.

        Others are refused: with `name__startswith`, say, one could guess hidden values letter by letter.
        """
        return any(lookup in _lookups_of(each) for each in self.get_list_filter(request))

    def _are_valid_keys(self, ticked: list[str]) -> bool:
        """Return whether all ticked values could be primary keys of this model."""
        try:
            for each in ticked:
                self.opts.pk.clean(each, None)
        except ValidationError:
            return False
        return True


def may_see(user: User | AnonymousUser, model: type[Model]) -> bool:
    """Return whether a user has the permission to view or to change rows of this model."""
    name = f"{model._meta.app_label}.{{}}_{model._meta.model_name}"
    return user.has_perm(name.format("view")) or user.has_perm(name.format("change"))


def holds_nul(request: HttpRequest) -> bool:
    """Return whether a GET or POST value contains NUL, which PostgreSQL does not accept in text."""
    sent = (*request.GET.lists(), *request.POST.lists())
    return any("\0" in value for _name, values in sent for value in values)


def _lookups_of(list_filter: Any) -> tuple[str, ...]:
    """Return the query parameters that a list filter reads."""
    if isinstance(list_filter, str):
        return tuple(f"{list_filter}{lookup}" for lookup in OWN_LOOKUPS)
    return (list_filter.parameter_name,)


class ReadOnlyAdmin(PlainAdmin):
    """A list of rows that only the software writes; staff can view them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may_see(request.user, self.model)

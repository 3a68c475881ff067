"""The acts on differences: take Stripe's value, for one difference or many, or leave a difference with a note.

Many are the ticked ones, or all that a list's filter finds. Most are read from Stripe while the page waits, and a form
holds a thousand fields at most. So all of a list are confirmed on a page of their own, whose address holds the filter,
and taken AT_A_TIME. The rule is payments/reconciling/differences.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payments.desk.acts.act import Act, with_stripe_code
from payments.desk.pages import DeskAdmin
from payments.desk.tables.differences import difference_in_words
from payments.errors import AlreadyClosed, NotYet, StripeRefused, StripeUnavailable
from payments.models import Difference
from payments.reconciling import differences

SLUG = "take"
AT_A_TIME = 100
# A longer number is no row's id.
DIGITS = 18


def takable(rows: QuerySet[Difference]) -> list[Difference]:
    """Return the open differences that a fresh read from Stripe can close, oldest first."""
    open_ones = rows.filter(state=Difference.State.OPEN).order_by("pk")
    return [row for row in open_ones if differences.can_take(row)]


def effects() -> list[object]:
    """Return what taking Stripe's value does and does not do, one sentence each."""
    return [
        _("It is read from Stripe again, and our books follow within seconds, as if its event had come."),
        _("Lines of the ledger are added, never changed. Letters that follow from it are sent."),
        _("The next comparison looks whether that was enough. If not, the difference is shown again."),
    ]


def question(count: int) -> str:
    asked = ngettext("Take Stripe’s for %(count)d difference?", "Take Stripe’s for %(count)d differences?", count)
    return asked % {"count": count}


def take(desk: DeskAdmin, request: HttpRequest, rows: Sequence[Difference], chosen: int) -> int:
    """Take Stripe's value for each row, and show the user for how many of the `chosen` it has begun.

    Returns how many rows were tried: not all of them if Stripe stops answering. A row for which Stripe has nothing to
    take, or that somebody else closed, counts as tried and is left as it is.
    """
    tried = taken = 0
    for row in rows:
        try:
            differences.take(row, cast(User, request.user))
        except StripeUnavailable:
            messages.warning(request, _("Stripe does not answer at the moment. Try again in a few minutes."))
            break
        except (AlreadyClosed, NotYet, StripeRefused):
            tried += 1
        else:
            tried, taken = tried + 1, taken + 1
            desk.log_change(request, row, SLUG)
    message = _("Stripe’s is being taken for %(taken)d of %(chosen)d chosen.")
    messages.success(request, message % {"taken": taken, "chosen": chosen})
    return tried


def all_of(desk: DeskAdmin, request: HttpRequest, found: QuerySet[Difference], back: str) -> HttpResponse:
    """Ask about all `found` differences; each POST takes the next AT_A_TIME of them and asks about the rest.

    Differences found after the first question are left out, and each one is tried once. Redirects to `back` when none
    is left, or when Stripe does not answer.
    """
    newest = found.order_by("-pk").values_list("pk", flat=True).first() or 0
    after, upto = 0, newest
    if request.method == "POST":
        after, upto = _number(request, "after"), _number(request, "upto")
    rows = takable(found.filter(pk__gt=after, pk__lte=upto))
    if request.method == "POST":
        some = rows[:AT_A_TIME]
        tried = take(desk, request, some, len(some))
        rows = rows[tried:]
        if tried < len(some) or not rows:
            return HttpResponseRedirect(back)
        after = some[-1].pk
        messages.info(request, _("Left to take: %(count)d.") % {"count": len(rows)})
    return TemplateResponse(request, "staff/work_again.html", _page(desk, request, len(rows), after, upto))


def _page(desk: DeskAdmin, request: HttpRequest, count: int, after: int, upto: int) -> dict[str, Any]:
    in_turns = _("They are taken %(count)d at a time. After each time you are asked about the rest.")
    turns = [in_turns % {"count": AT_A_TIME}] if count > AT_A_TIME else []
    return {
        **desk.admin_site.each_context(request),
        "title": _("Take Stripe’s"),
        "opts": desk.opts,
        "question": question(count),
        "consequences": [*turns, *effects()],
        "fields": [("after", after), ("upto", upto)],
        "is_possible": count > 0,
        "back": f"?{request.GET.urlencode()}",
        "button": _("Take Stripe’s"),
    }


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else 0


class TakeStripeValue(Act):
    slug = SLUG
    label = gettext_lazy("Take Stripe’s")
    problems = (AlreadyClosed, NotYet, StripeRefused, StripeUnavailable)

    def is_open(self, row: Difference) -> bool:
        return row.state == Difference.State.OPEN and differences.can_take(row)

    def question(self, row: Difference) -> str:
        return _("Make our books follow Stripe here?")

    def consequences(self, row: Difference) -> list[object]:
        return [difference_in_words(row), *effects()]

    def perform(self, row: Difference, answers: dict[str, Any], actor: User) -> str:
        differences.take(row, actor)
        return _("Stripe’s is being taken. The next comparison looks whether that was enough.")

    def explain(self, problem: Exception) -> str:
        if isinstance(problem, AlreadyClosed):
            return _("Somebody settled this difference a moment ago. Go back to see how.")
        if isinstance(problem, StripeUnavailable):
            return _("Stripe does not answer at the moment. Nothing was changed. Try again in a few minutes.")
        words = _("Stripe has nothing to take here. Nothing was changed. Look at it there, then leave it with a note.")
        return with_stripe_code(words, problem) if isinstance(problem, StripeRefused) else words


class NoteForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("Why it is left as it is"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One or two sentences for whoever looks at it next year."),
    )


class LeaveDifference(Act):
    slug = "note"
    label = gettext_lazy("Leave it, with a note")
    form_class = NoteForm
    problems = (AlreadyClosed,)

    def is_open(self, row: Difference) -> bool:
        return row.state == Difference.State.OPEN

    def question(self, row: Difference) -> str:
        return _("Leave this difference as it is?")

    def consequences(self, row: Difference) -> list[object]:
        return [
            difference_in_words(row),
            _("Nothing is changed, here or at Stripe. Your note and your name stay with it."),
            _("It is not shown again unless one of the two values changes."),
        ]

    def perform(self, row: Difference, answers: dict[str, Any], actor: User) -> str:
        differences.note(row, actor, answers["note"])
        return _("The difference is left, with your note.")

    def explain(self, problem: Exception) -> str:
        return _("Somebody settled this difference a moment ago. Go back to see how.")

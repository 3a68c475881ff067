"""The page where a supporter chooses which emails they get, in which language, and whether discreetly.

The signed link from any email is proof enough; there is no sign-in. The page shows no name and no address, because the
link may have been forwarded. GET changes nothing; POST saves.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from members import people
from members.links import pages as link_pages
from members.links import public_ids, signed
from members.mail import choices
from members.models import Supporter

# Emails that are always sent, each with the reason.
ALWAYS = [
    (_("Thanks and receipts"), _("You paid, so you are told what arrived. They are your proof.")),
    (_("Before a yearly gift renews, and once a year for a monthly one"), _("Nobody should be charged by surprise.")),
    (_("A payment that did not go through, and a gift that stops"), _("It is your money that moves or does not.")),
    (_("Links you asked for"), _("You wait for them.")),
]


class PreferencesForm(forms.Form):
    """Language and discretion. An invalid language leaves the supporter's language as it was."""

    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False)
    is_discreet = forms.BooleanField(required=False)


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    public_id = signed.read("preferences", token)
    if public_id is None:
        return link_pages.expired(request, "preferences", token, _owner)
    supporter = _owner(public_id)
    if supporter is None:
        raise Http404
    if request.method == "POST":
        _save(request, supporter)
    return link_pages.page(request, "portal/preferences.html", _context(supporter, is_saved=request.method == "POST"))


def _save(request: HttpRequest, supporter: Supporter) -> None:
    """Save the form. Both buttons send all of it; a POST with `stop_all` alone keeps language and discretion."""
    stops_all = "stop_all" in request.POST
    if not stops_all or "language" in request.POST:
        form = PreferencesForm(request.POST)
        form.is_valid()
        language = form.cleaned_data.get("language") or supporter.language
        people.set_letters(supporter, language, is_discreet=form.cleaned_data["is_discreet"])
    if stops_all:
        choices.stop_all(supporter, "page")
        return
    wanted = set(request.POST.getlist("letters"))
    choices.choose(supporter, {choice.kind: choice.kind in wanted for choice in choices.of(supporter)}, "page")


def _context(supporter: Supporter, *, is_saved: bool) -> dict[str, Any]:
    return {
        "supporter": supporter,
        "choices": choices.of(supporter),
        "always": ALWAYS,
        "languages": settings.LANGUAGES,
        "state": "saved" if is_saved else "ask",
    }


def _owner(public_id: str) -> Supporter | None:
    known = public_ids.parse(public_id)
    return Supporter.objects.filter(public_id=known, erased_at=None).first() if known else None

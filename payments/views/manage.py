"""The page on which a supporter types their email address to get the links to their recurring gifts by email.

Its answer is the same for every address, so that nobody can find out who gives; payments/letters/links.py ensures it.
"""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from members.links import fresh as fresh_links
from payments.giving.forms import REAL_NEIGHBOURS, USUAL_DOMAINS, EmailField
from payments.letters import links as gift_links


class AddressForm(forms.Form):
    email = EmailField(max_length=254)


@csrf_exempt  # there is no session to abuse: a forged form could do no more than typing the address here
@require_http_methods(["GET", "HEAD", "POST"])
def manage(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        response = _page(request, AddressForm(), "ask")
        patch_cache_control(response, public=True, max_age=60)
        return response
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _page(request, form, "ask", status=422)
    if not fresh_links.may_ask(request):
        response = _page(request, form, "busy", status=429)
        response["Retry-After"] = str(fresh_links.HOUR)
        return response
    email = form.cleaned_data["email"]
    if gift_links.may_send(email):
        gift_links.send(email, get_language() or settings.LANGUAGE_CODE)
    return _page(request, form, "sent")


def _page(request: HttpRequest, form: AddressForm, state: str, status: int = 200) -> HttpResponse:
    context = {
        "state": state,
        "form": form,
        "problems": {name: messages[0] for name, messages in form.errors.items()},
        "usual_domains": " ".join(USUAL_DOMAINS),
        "real_neighbours": " ".join(REAL_NEIGHBOURS),
    }
    return render(request, "portal/manage.html", context, status=status)

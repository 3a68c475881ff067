"""What happens around every request: Stripe's events first, the reader's language, headers for browsers and caches.

Cookies are not set here and sessions are not read: a reader's page has neither.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import translation
from django.utils.cache import patch_vary_headers

from payments.views.webhook import stripe_webhook

GetResponse = Callable[[HttpRequest], HttpResponse]

WEBHOOK = "/webhooks/stripe/"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"


def webhook_first(get_response: GetResponse) -> GetResponse:
    """Stripe's events skip everything else: no session, no language, no cookie, one durable row and an answer."""

    def respond(request: HttpRequest) -> HttpResponse:
        if request.path == WEBHOOK:
            return stripe_webhook(request)
        return get_response(request)

    return respond


def language(get_response: GetResponse) -> GetResponse:
    """The language asked for by `lang`, else by the browser, else the site's own. Nothing is remembered."""

    def respond(request: HttpRequest) -> HttpResponse:
        chosen = _asked_for(request)
        request.chosen_language = chosen  # type: ignore[attr-defined]
        translation.activate(chosen or translation.get_language_from_request(request))
        request.LANGUAGE_CODE = translation.get_language()
        response = get_response(request)
        patch_vary_headers(response, ["Accept-Language"])
        response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        return response

    return respond


def response_headers(get_response: GetResponse) -> GetResponse:
    """What a browser may do with a page. A page is kept by nobody unless its view says so, and never with a cookie."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if "Cache-Control" not in response or (response.cookies and "public" in response["Cache-Control"]):
            response["Cache-Control"] = "private, no-store"
        if "private" in response["Cache-Control"]:
            _keep_for_going_back(response)
        return response

    return respond


def _keep_for_going_back(response: HttpResponse) -> None:
    """Only the reader's own browser keeps a private page. The cookie that came with it is no reason to ask anew: going
    back finds the same form with the same key, and sending it again finds the same session at Stripe.
    """
    names = [name.strip() for name in response.get("Vary", "").split(",")]
    if "Cookie" in names:
        response["Vary"] = ", ".join(name for name in names if name != "Cookie")


def _asked_for(request: HttpRequest) -> str:
    asked = request.GET.get("lang") or ""
    if not asked and request.method == "POST" and request.content_type in FORMS:
        try:
            asked = request.POST.get("lang") or ""
        except UnreadablePostError:
            asked = ""
    return asked if asked in dict(settings.LANGUAGES) else ""

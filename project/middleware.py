"""Middleware: Stripe's webhook before everything else, the reader's language, headers for browsers and caches.

It sets no cookies and reads no sessions, because readers' pages have neither.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import translation
from django.utils.cache import patch_vary_headers

from members import limits
from members.staff import viewing
from payments.views.webhook import stripe_webhook
from project import errors_views

GetResponse = Callable[[HttpRequest], HttpResponse]

WEBHOOK = "/webhooks/stripe/"
DESK = "/admin/"
MOST_GUESSES, GUESSED_IN_SECONDS = 60, 600
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# The country's code is often written instead of the language's.
ALSO_CALLED = {"ua": "uk"}
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"


def webhook_first(get_response: GetResponse) -> GetResponse:
    """Answer Stripe's webhook before any other middleware runs, so that storing an event depends on nothing else."""

    def respond(request: HttpRequest) -> HttpResponse:
        if request.path == WEBHOOK:
            return stripe_webhook(request)
        return get_response(request)

    return respond


def small_bodies(get_response: GetResponse) -> GetResponse:
    """Answer a body larger than any form of ours with 413, before anything reads it."""

    def respond(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or ""
        if length.isdecimal() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            with translation.override(translation.get_language_from_request(request)):
                return errors_views.too_large(request)
        return get_response(request)

    return respond


def language(get_response: GetResponse) -> GetResponse:
    """Activate the language: `lang` in the address or form, else the browser's, else LANGUAGE_CODE. Not remembered."""

    def respond(request: HttpRequest) -> HttpResponse:
        chosen = _requested_language(request)
        request.chosen_language = chosen  # type: ignore[attr-defined]
        translation.activate(chosen or translation.get_language_from_request(request))
        request.LANGUAGE_CODE = translation.get_language()
        response = get_response(request)
        patch_vary_headers(response, ["Accept-Language"])
        response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        return response

    return respond


def response_headers(get_response: GetResponse) -> GetResponse:
    """Add security and caching headers. Nothing is cached unless its view says so, and never a page with a cookie."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if "Cache-Control" not in response or (response.cookies and "public" in response["Cache-Control"]):
            response["Cache-Control"] = "private, no-store"
        if "private" in response["Cache-Control"]:
            _allow_back_button_cache(response)
        return response

    return respond


def guessed_links(get_response: GetResponse) -> GetResponse:
    """Slow down who tries signed links that do not open; a link that opens is never refused."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_behind_link = request.resolver_match is not None and "token" in request.resolver_match.kwargs
        if response.status_code == 404 and is_behind_link and not _may_guess(request):
            response.status_code = 429
            response["Retry-After"] = str(GUESSED_IN_SECONDS)
        return response

    return respond


def desk_viewer(get_response: GetResponse) -> GetResponse:
    """Note who looks at the desk, also while its pages are rendered: cells ask whom this user may see."""

    def respond(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(DESK):
            return get_response(request)
        with viewing.by(request.user):
            return get_response(request)

    return respond


def _may_guess(request: HttpRequest) -> bool:
    return limits.hit_from(request, "guessed-link", MOST_GUESSES, GUESSED_IN_SECONDS)


def _allow_back_button_cache(response: HttpResponse) -> None:
    """Remove Cookie from Vary of a private page, which only the reader's own browser may cache.

    With it, the cookie set by the page would make the browser load the page again on going back. So the reader finds
    the same form with the same key, and sending it again finds the same session at Stripe.
    """
    names = [name.strip() for name in response.get("Vary", "").split(",")]
    if "Cookie" in names:
        response["Vary"] = ", ".join(name for name in names if name != "Cookie")


def _requested_language(request: HttpRequest) -> str:
    """Return the offered language in `lang`, from the address or else from a posted form; empty if there is none."""
    code = request.GET.get("lang") or ""
    if not code and request.method == "POST" and request.content_type in FORMS:
        try:
            code = request.POST.get("lang") or ""
        except UnreadablePostError:
            code = ""
    return _offered(code)


def _offered(code: str) -> str:
    """Return the offered language that a code means, or "". `ua`, `UK`, `uk-UA` and `uk,` mean Ukrainian too."""
    parts = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8})*[^A-Za-z0-9_-]{0,3}", code)
    language = parts[1].lower() if parts else ""
    language = ALSO_CALLED.get(language, language)
    return language if language in dict(settings.LANGUAGES) else ""

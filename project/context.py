"""Template variables for every page: the newsroom, the other languages, and the language to carry on in links."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from members.editor import editor
from members.newsroom import values


def newsroom(request: HttpRequest) -> dict[str, Any]:
    """Return the variables that all templates have (a context processor).

    `lang_query`, to append to addresses, and `chosen_language`, for hidden fields, are empty unless the language was
    chosen with `lang`.
    """
    chosen = getattr(request, "chosen_language", "")
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "legal_name": values.text("LEGAL_NAME"),
        "legal_address": values.text("LEGAL_ADDRESS"),
        "legal_registration": values.text("LEGAL_REGISTRATION"),
        "contact_email": values.text("CONTACT_EMAIL"),
        "contact_promise_days": values.number("CONTACT_PROMISE_DAYS"),
        "statement_name": values.text("STATEMENT_NAME"),
        "takes_transfers": bool(values.text("BANK_IBAN")),
        **editor(get_language() or settings.LANGUAGE_CODE),
        "chosen_language": chosen,
        "lang_query": f"?lang={chosen}" if chosen else "",
        "other_languages": other_languages(request),
    }


def other_languages(request: HttpRequest) -> list[dict[str, str]]:
    """Return links to this page in the other languages.

    A view that renders a page after a POST sets `request.page_query`, the query that shows the page with GET.
    """
    query = getattr(request, "page_query", None)
    query = request.GET.copy() if query is None else query.copy()
    links = []
    for code, name in settings.LANGUAGES:
        if code != get_language():
            query["lang"] = code
            links.append({"code": code, "name": name, "url": f"{request.path}?{query.urlencode()}"})
    return links

"""A demo article that ends with the appeal, to show the block in its place. With DEBUG on only."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from appeals import campaigns

ARTICLE = "demo-who-would-watch-a-ceasefire"
LANGUAGES = ("en", "uk")


@require_safe
def demo_article(request: HttpRequest) -> HttpResponse:
    """Show the article in the reader's language with the default campaign's block. Raises Http404 without DEBUG."""
    if not settings.DEBUG:
        raise Http404
    language = get_language() or settings.LANGUAGE_CODE
    block = campaigns.block(campaigns.default(), language, currency=request.GET.get("currency", ""), article=ARTICLE)
    text = language if language in LANGUAGES else "en"
    return render(request, f"appeals/demo/article.{text}.html", {"ask": block})

"""Pages that are the same for every reader: questions, give safely, privacy, terms, contact.

Their words are templates, which a newsroom can replace through WORDS_DIR. The addresses are in payments/urls.py.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe


@require_safe
@cache_control(public=True, max_age=60)
def page(request: HttpRequest, template: str) -> HttpResponse:
    return render(request, template)

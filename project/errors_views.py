"""Error pages: 400 for a malformed request, 413 for a large one, 503 while the database is down, 500 for other errors.

Set as handlers in project/urls.py. 403 and 404 are Django's own views, with our templates.
"""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def too_large(request: HttpRequest) -> HttpResponse:
    return render(request, "400.html", status=413)


def server_error(request: HttpRequest) -> HttpResponse:
    """Show the page for 503 if the current exception comes from the database, else for 500. Makes no query itself."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        response = render(request, "503.html", status=503)
        response["Retry-After"] = "60"
        return response
    return render(request, "500.html", status=500)

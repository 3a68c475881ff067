"""The limit to compare with: the barest Django view that verifies a signature and inserts a row. One file, no apps."""

from __future__ import annotations

import hashlib
import hmac
import json
import os

import environ
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

SECRET = os.environ["STRIPE_WEBHOOK_SECRETS"]
INSERT = "INSERT INTO bare_events (id, type, payload) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"

settings.configure(
    SECRET_KEY="bare",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": environ.Env().db("DATABASE_URL") | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}},
)


def receive(request: HttpRequest) -> HttpResponse:
    body = request.body
    stamp, _, mac = request.META["HTTP_STRIPE_SIGNATURE"].removeprefix("t=").partition(",v1=")
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, mac):
        return HttpResponse(status=400)
    event = json.loads(body)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [event["id"], event["type"], body])
    return HttpResponse(status=200)


urlpatterns = [path("webhooks/stripe/", receive)]
application = get_wsgi_application()

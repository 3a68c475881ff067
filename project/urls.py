"""All addresses at a glance. The urls.py of each app says which view answers."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from members.views import api as members_api
from project import api_docs, health

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/support/", query_string=True), name="home"),
    path("", include("payments.urls")),  # /support/ /method/ /confirm/ /stop/ /webhooks/stripe/
    path("", include("members.urls")),  # /preferences/ /unsubscribe/ /mail/events/ /demo/mail/
    path("", include("appeals.urls")),  # /demo/article/ /api/v1/appeals/
    path("api/v1/entitlements/lookup/", members_api.EntitlementLookup.as_view(), name="api_entitlements_lookup"),
    path("api/schema/", api_docs.schema, name="api-schema"),
    path("api/docs/", api_docs.docs, name="api-docs"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]

handler400 = "project.errors_views.bad_request"
handler500 = "project.errors_views.server_error"

"""Addresses of the readers' pages about giving, and of Stripe's webhook. project/urls.py includes them at the root."""

from __future__ import annotations

from django.urls import URLPattern, path

from payments.views import amount, confirm, give, guarded, manage, method, other_ways, pages, returning, stop
from payments.views.webhook import stripe_webhook

urlpatterns: list[URLPattern] = [
    path("support/", amount.choose, name="support"),
    path("support/details/", give.details, name="support_details"),
    path("support/begin/<token:token>/", guarded.begin, name="support_begin"),
    path("support/return/<token:token>/", returning.come_back, name="support_return"),
    path("support/other-ways/", other_ways.other_ways, name="support_other_ways"),
    path("support/manage/", manage.manage, name="support_manage"),
    path("support/give-safely/", pages.page, {"template": "pages/give_safely.html"}, name="support_give_safely"),
    path("support/questions/", pages.page, {"template": "pages/questions.html"}, name="support_questions"),
    path("support/privacy/", pages.page, {"template": "pages/privacy.html"}, name="support_privacy"),
    path("support/terms/", pages.page, {"template": "pages/terms.html"}, name="support_terms"),
    path("support/contact/", pages.page, {"template": "pages/contact.html"}, name="support_contact"),
    path("method/<token:token>/", method.method, name="method"),
    path("confirm/<token:token>/", confirm.confirm, name="confirm"),
    path("stop/<token:token>/", stop.stop, name="stop"),
    path("webhooks/stripe/", stripe_webhook, name="stripe_webhook"),
]

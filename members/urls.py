"""The addresses of this app. Included by project/urls.py, which also holds the entitlement API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from members.views import demo_mail, preferences, provider_events, unsubscribe

urlpatterns: list[URLPattern | URLResolver] = [
    path("preferences/<token:token>/", preferences.preferences, name="preferences"),
    path("unsubscribe/<token:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("mail/events/<path:which>", provider_events.receive, name="mail_events"),
    path("demo/mail/", demo_mail.demo_mails, name="demo_mails"),
    path("demo/mail/<str:name>/", demo_mail.demo_mail, name="demo_mail"),
    path("demo/mail/<str:name>/html/", demo_mail.demo_mail_html, name="demo_mail_html"),
]

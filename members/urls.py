"""The addresses of this floor."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from members import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("demo/mail/", views.demo_mails, name="demo_mails"),
    path("demo/mail/<str:name>/", views.demo_mail, name="demo_mail"),
    path("demo/mail/<str:name>/html/", views.demo_mail_html, name="demo_mail_html"),
]

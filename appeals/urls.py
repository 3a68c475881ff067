"""The addresses of this app. Included by project/urls.py."""

from __future__ import annotations

from django.urls import path

from appeals import api, views

urlpatterns = [
    path("demo/article/", views.demo_article, name="demo_article"),
    path("api/v1/appeals/<str:campaign>/", api.AppealDetail.as_view(), name="api_appeal"),
]

"""The staff desk: Django's admin under the newsroom's name, with its lists grouped in sections.

It names models as text and imports none, because it is created before they are registered. Sign-in attempts are
limited by django-axes (see project/settings.py).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from project import staff_devices

# The sections of the index page and the models in each. Models that are not named here are in "Settings".
SECTIONS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (gettext_lazy("People"), ("Supporter", "Membership", "Message", "Letters", "Suppression", "Consent")),
    (
        gettext_lazy("Money"),
        ("Payment", "Subscription", "Refund", "RefundRequest", "Dispute", "Payout", "LedgerEntry", "Checkout"),
    ),
    (gettext_lazy("Asking"), ("Campaign", "Appeal")),
    (gettext_lazy("To look after"), ("Case", "StripeEvent", "Difference", "Reconciliation")),
)
SETTINGS = gettext_lazy("Settings")
LONGEST_USERNAME = 150


class SignIn(AdminAuthenticationForm):
    def clean_username(self) -> str:
        """Return the username.

        Raises ValidationError if it is too long for the table of failed sign-ins (Django limits the length only in the
        browser), or if too many passwords were tried for it.
        """
        username: str = self.cleaned_data["username"]
        if len(username) > LONGEST_USERNAME:
            raise self.get_invalid_login_error()
        if not staff_devices.may_try(self.request, username):
            words = _("Too many passwords were tried for this name. Sign in where you have before, or wait an hour.")
            raise ValidationError(words, code="name_busy")
        return username


class StaffSite(AdminSite):
    login_form = SignIn
    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = gettext_lazy("The desk")
    site_url = "/support/"
    empty_value_display = "–"

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect Django's page of one app to the index: the sections replace it."""
        return HttpResponseRedirect(reverse("admin:index"))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().login(request, {"title": _("Sign in to the desk"), **(extra_context or {})})
        if request.method == "POST" and request.user.is_authenticated:
            staff_devices.remember(response, request.user)
        return response

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the sections in place of Django's apps; with `app_label`, what Django returns."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        models = [model for app in apps for model in app["models"]]
        if any(model["object_name"] == "Message" for model in models):
            models.append(letters())
        mark_current(request.path, models)
        return in_sections(models)


def letters() -> dict[str, Any]:
    """Return an entry for the page of all emails. It is no model's list; anyone who may see messages gets it."""
    return {
        "name": gettext_lazy("Letters"),
        "object_name": "Letters",
        "admin_url": reverse("admin:members_message_letters"),
    }


def mark_current(path: str, models: list[Any]) -> None:
    """Set `is_here` on the entry whose page this path belongs to; if several match, on the longest address."""
    matching = [model for model in models if model.get("admin_url") and path.startswith(model["admin_url"])]
    if matching:
        max(matching, key=lambda model: len(model["admin_url"]))["is_here"] = True


def in_sections(models: list[Any]) -> list[dict[str, Any]]:
    """Return Django's entries for models, grouped and ordered as in SECTIONS, without empty sections."""
    by_name = {model["object_name"]: model for model in models}
    sections = [(title, [by_name.pop(name) for name in names if name in by_name]) for title, names in SECTIONS]
    sections.append((SETTINGS, list(by_name.values())))
    shape = {"app_label": "", "app_url": "", "has_module_perms": True}
    return [{"name": title, "models": found, **shape} for title, found in sections if found]

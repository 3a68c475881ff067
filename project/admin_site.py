"""The staff's site: Django's admin under the newsroom's name, its lists in rooms.

It names models and imports none of them: it is made before they register.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# Which lists belong together, for the people who use them. What is not named here is a setting.
ROOMS: tuple[tuple[Any, tuple[str, ...]], ...] = (
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
        """Django only tells the browser how long a name may be, and the count of failures has no room for more."""
        username: str = self.cleaned_data["username"]
        if len(username) > LONGEST_USERNAME:
            raise self.get_invalid_login_error()
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
        """Rooms take the place of Django's page of an application."""
        return HttpResponseRedirect(reverse("admin:index"))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().login(request, {"title": _("Sign in to the desk"), **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Rooms instead of Django applications, except on an application's own page."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        models = [model for app in apps for model in app["models"]]
        if any(model["object_name"] == "Message" for model in models):
            models.append(letters())
        mark_where(request.path, models)
        return in_rooms(models)


def letters() -> dict[str, Any]:
    """The page of all letters: no model's list, and for whoever may see messages."""
    return {
        "name": gettext_lazy("Letters"),
        "object_name": "Letters",
        "admin_url": reverse("admin:members_message_letters"),
    }


def mark_where(path: str, models: list[Any]) -> None:
    """Marks the list whose page somebody is on; of two whose addresses begin alike, the longer."""
    around = [model for model in models if model.get("admin_url") and path.startswith(model["admin_url"])]
    if around:
        max(around, key=lambda model: len(model["admin_url"]))["is_here"] = True


def in_rooms(models: list[Any]) -> list[dict[str, Any]]:
    """Django's description of each model, grouped and ordered as in ROOMS."""
    by_name = {model["object_name"]: model for model in models}
    rooms = [(title, [by_name.pop(name) for name in names if name in by_name]) for title, names in ROOMS]
    rooms.append((SETTINGS, list(by_name.values())))
    shape = {"app_label": "", "app_url": "", "has_module_perms": True}
    return [{"name": title, "models": found, **shape} for title, found in rooms if found]

"""The staff desk: Django's admin under the newsroom's name, with its lists grouped in sections.

It names models as text and imports none, because it is created before they are registered. Sign-in attempts are
limited by django-axes (see project/settings.py).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.staff import door, staff_log
from members.staff.door import Door
from members.views import invitation, second_factor
from project import staff_devices

# The sections of the index page and the models in each. Models that are not named here are in "Settings".
SECTIONS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (gettext_lazy("People"), ("Supporter", "Membership", "Message", "Letters", "Suppression", "Consent")),
    (
        gettext_lazy("Money"),
        (
            "Payment",
            "Subscription",
            "Refund",
            "RefundRequest",
            "HeldRefund",
            "Dispute",
            "Payout",
            "LedgerEntry",
            "Checkout",
        ),
    ),
    (gettext_lazy("Asking"), ("Campaign", "Appeal")),
    (gettext_lazy("To look after"), ("Case", "StripeEvent", "Difference", "Reconciliation", "Erasure", "RetentionRun")),
)
SETTINGS = gettext_lazy("Settings")
# Our names for lists of Django and of django-axes.
OWN_NAMES = {
    "User": gettext_lazy("Colleagues"),
    "AccessAttempt": gettext_lazy("Wrong passwords"),
    "AccessLog": gettext_lazy("Sign-ins"),
}
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

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether a request may enter: signed in, and with the second factor where there has to be one."""
        return door.of(request) is Door.OPEN

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the pages that are open before the door is: they ask it themselves."""
        own = [
            path("second-factor/", second_factor.overview, name="second_factor"),
            path("second-factor/give/", second_factor.give, name="second_factor_give"),
            path("second-factor/set/", second_factor.set_up, name="second_factor_set"),
            path("second-factor/renew/", second_factor.renew, name="second_factor_renew"),
            path("second-factor/codes/", second_factor.codes, name="second_factor_codes"),
            path("second-factor/remove/", second_factor.remove, name="second_factor_remove"),
            path("second-factor/leave/", second_factor.leave, name="second_factor_leave"),
            path("sign-out-everywhere/", second_factor.sign_out_everywhere, name="sign_out_everywhere"),
            path("log/", self.admin_view(log_of_staff), name="log"),
            path("invitation/<str:token>/", invitation.invitation, name="invitation"),
        ]
        return [*own, *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in by name and password; then lead to the second factor, if it is to be given or set."""
        if request.method != "POST" and (page := second_factor_page(request)):
            return HttpResponseRedirect(page)
        response = super().login(request, {"title": _("Sign in to the desk"), **(extra_context or {})})
        if request.method == "POST" and response.status_code == 302 and request.user.is_authenticated:
            staff_devices.remember(response, request.user)
            door.begin(request)
            if page := second_factor_page(request):
                response["Location"] = page
            else:
                staff_log.record(request.user, "session.began")
        return response

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == 302:
            staff_log.record(request.user, "password.changed")
        return response

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the sections in place of Django's apps; with `app_label`, what Django returns."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        models = [model for app in apps for model in app["models"]]
        if request.user.has_perm("members.view_letters") or request.user.has_perm("members.view_message"):
            models.append(letters())
        for model in models:
            model["name"] = OWN_NAMES.get(model["object_name"], model["name"])
        mark_current(request.path, models)
        return in_sections(models)


def log_of_staff(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:members_stafflogentry_changelist"))


def second_factor_page(request: HttpRequest) -> str:
    """Return the page of the second factor that the door asks for, with where the person was going; else ""."""
    pages = {Door.GIVE: "admin:second_factor_give", Door.SET: "admin:second_factor_set"}
    page = pages.get(door.of(request))
    if page is None:
        return ""
    onward = request.POST.get("next") or request.GET.get("next") or ""
    return f"{reverse(page)}?{urlencode({'next': onward})}" if onward else reverse(page)


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

"""The desk's list of colleagues, in place of Django's: no forms for rights, only roles, invitations and acts."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_otp.plugins.otp_totp.models import TOTPDevice

from members.staff import factor, invitations, roles, step_up
from payments.desk import columns
from payments.desk.acts.act import Act
from payments.desk.columns import BAD, GOOD, LATE, NONE, OVER, column
from payments.desk.pages import DeskAdmin, Fact
from payments.staff.colleague_acts import (
    CloseAccount,
    EndSessions,
    GiveRole,
    NewLink,
    OpenAccount,
    ResetFactor,
    RoleForm,
    link_shown,
)

FEW_CODES = 2

admin.site.unregister([User, Group, TOTPDevice])


class InvitationForm(RoleForm):
    email = forms.EmailField(
        label=gettext_lazy("Their address"),
        help_text=gettext_lazy("Nothing is sent: you get a link to give them yourself."),
    )

    field_order = ("email", "role")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError(_("A colleague has this address already."))
        return email


@column(gettext_lazy("may"))
def role_shown(row: User) -> str:
    return roles.of(row) or NONE


@column(gettext_lazy("second factor"))
def factor_shown(row: Any) -> SafeString:
    if row.has_factor:
        return columns.state(_("an app"), GOOD)
    if not row.has_usable_password():
        return columns.state(_("invited"), LATE)
    return columns.state(_("none"), BAD)


@column(gettext_lazy("account"))
def account_shown(row: User) -> SafeString:
    return columns.state(_("open"), GOOD) if row.is_active else columns.state(_("closed"), OVER)


@admin.register(User)
class ColleagueAdmin(DeskAdmin):
    acts = (GiveRole(), NewLink(), EndSessions(), ResetFactor(), CloseAccount(), OpenAccount())
    list_display = (
        "username",
        "email",
        role_shown,
        factor_shown,
        columns.moment_column("last_login", gettext_lazy("last here")),
        account_shown,
    )
    list_filter = ("is_active",)
    change_list_template = "staff/colleagues.html"
    page_template = "staff/colleague.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        staff = super().get_queryset(request).filter(is_staff=True)
        return staff.annotate(has_factor=Exists(devices)).prefetch_related("groups")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("auth.add_user")

    def may_do_to(self, request: HttpRequest, act: Act, row: User) -> bool:
        return roles.may_change(cast(User, request.user), row)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Invite a colleague: create them with a role, and show the link for them once. Raises PermissionDenied."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        actor = cast(User, request.user)
        form = InvitationForm(request.POST if request.method == "POST" else None, actor)
        if form.is_valid():
            if asked := step_up.ask(request):
                return asked
            colleague, link = invitations.invite(actor, form.cleaned_data["email"], form.cleaned_data["role"])
            messages.success(request, link_shown(link))
            return HttpResponseRedirect(columns.address_of(colleague))
        around = self.admin_site.each_context(request)
        title = _("Invite a colleague")
        return TemplateResponse(
            request, "staff/invite.html", {**around, "title": title, "opts": self.opts, "form": form}
        )

    def facts(self, row: User) -> list[Fact]:
        role = row.groups.values_list("name", flat=True).first()
        left = factor.codes_left(row)
        return [
            (_("Name for signing in"), row.get_username()),
            (_("Address"), row.email or NONE),
            (_("Role"), role_shown(row)),
            (_("May"), roles.MAY.get(role or "", NONE)),
            (_("Second factor"), factor_shown(row)),
            (_("Recovery codes left"), columns.state(str(left), GOOD if left > FEW_CODES else LATE)),
            (_("Last here"), columns.moment(row.last_login)),
            (_("Known since"), columns.moment(row.date_joined)),
            (_("Account"), account_shown(row)),
        ]

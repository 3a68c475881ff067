"""The desk's lists of sign-ins and of wrong passwords, as django-axes records them. Nobody deletes them at the desk."""

from __future__ import annotations

from axes.models import AccessAttempt, AccessLog
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.columns import NONE
from payments.desk.pages import DeskAdmin, Fact

WHEN = columns.moment_column("attempt_time", gettext_lazy("when"))


@admin.register(AccessAttempt)
class AttemptAdmin(DeskAdmin):
    list_display = (columns.number, WHEN, "username", "ip_address", "failures_since_start")
    list_filter = ("attempt_time",)

    def facts(self, row: AccessAttempt) -> list[Fact]:
        return [
            (_("When"), columns.moment(row.attempt_time)),
            (_("Name for signing in"), row.username or NONE),
            (_("Network"), row.ip_address or NONE),
            (_("Tries"), row.failures_since_start),
        ]


@admin.register(AccessLog)
class SignInAdmin(DeskAdmin):
    list_display = (columns.number, WHEN, "username", "ip_address")
    list_filter = ("attempt_time",)

    def facts(self, row: AccessLog) -> list[Fact]:
        return [
            (_("When"), columns.moment(row.attempt_time)),
            (_("Name for signing in"), row.username or NONE),
            (_("Network"), row.ip_address or NONE),
            (_("Signed out"), columns.moment(row.logout_time)),
        ]

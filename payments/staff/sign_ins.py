"""The desk's lists of sign-ins and of wrong passwords, as django-axes records them. Nobody deletes them at the desk."""

from __future__ import annotations

from axes.models import AccessAttempt, AccessLog
from django.contrib import admin

from members.admin.plain import ReadOnlyAdmin


@admin.register(AccessAttempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ("attempt_time", "username", "ip_address", "failures_since_start")
    fields = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent")
    list_filter = ("attempt_time",)
    sortable_by = ()


@admin.register(AccessLog)
class SignInAdmin(ReadOnlyAdmin):
    list_display = ("attempt_time", "logout_time", "username", "ip_address")
    fields = ("attempt_time", "logout_time", "username", "ip_address", "user_agent")
    list_filter = ("attempt_time",)
    sortable_by = ()

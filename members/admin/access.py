"""API keys at the staff desk: staff see and revoke them. Only `create_api_key` creates keys, and shows each once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members import api_keys
from members.admin.plain import ReadOnlyAdmin
from members.models import ApiKey
from members.staff import step_up


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "scope", "state", "created_at", "revoked_at")
    fields = ("name", "scope", "state", "created_at", "revoked_at")
    readonly_fields = ("state",)
    sortable_by = ()
    actions = ("revoke_chosen",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("members.change_apikey")

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: ApiKey) -> SafeString:
        tone, word = ("over", _("revoked")) if row.revoked_at else ("good", _("in use"))
        return format_html('<span class="state {}">{}</span>', tone, word)

    @admin.action(description=gettext_lazy("Revoke the chosen keys"), permissions=["revoke"])
    def revoke_chosen(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Revoke the selected keys after asking for confirmation: a revoked key never works again."""
        keys = list(queryset.filter(revoked_at=None))
        if keys and "confirmed" not in request.POST:
            return TemplateResponse(request, "staff/act_on_many.html", self._confirmation(request, keys))
        if keys and (asked := step_up.ask(request, back=request.path)):
            return asked
        count = api_keys.revoke(queryset)
        for key in keys:
            self.log_change(request, key, "revoked")
        done = ngettext("%(count)d key was revoked.", "%(count)d keys were revoked.", count)
        messages.success(request, done % {"count": count})
        return None

    def _confirmation(self, request: HttpRequest, keys: list[ApiKey]) -> dict[str, Any]:
        question = ngettext("Revoke %(count)d key?", "Revoke %(count)d keys?", len(keys))
        names = _("In question: %(names)s.") % {"names": ", ".join(key.name for key in keys)}
        return {
            **self.admin_site.each_context(request),
            "title": _("Revoke keys"),
            "opts": self.opts,
            "question": question % {"count": len(keys)},
            "consequences": [
                names,
                _("From now on servers that ask with it are refused. This cannot be taken back."),
                _("A new key is made on the server: manage.py create_api_key NAME --scope SCOPE."),
            ],
            "ids": [key.pk for key in keys],
            "action": "revoke_chosen",
            "button": _("Revoke now"),
        }

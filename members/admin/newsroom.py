"""The newsroom's settings at the staff desk: one form with all of them, and the versions that were saved."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.admin.plain import PlainAdmin, may_see
from members.models import Newsroom
from members.newsroom import versions
from members.newsroom.fields import FIELDS, Setting


class SettingsForm(forms.ModelForm):
    """The form of a new version, filled with the newest one. A field left empty takes the environment's value."""

    seen = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Newsroom
        fields = ("why",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:  # a version that is only shown
            return
        newest = versions.newest()
        self.fields["seen"].initial = newest.version
        self.fields["why"].help_text = _("One line for those who look at the history")
        for name, setting in FIELDS.items():
            field = self.fields[name]
            field.initial = newest.values.get(name)
            field.help_text = " ".join(part for part in (str(setting.help), _default_of(setting)) if part)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        newest = versions.newest_alone()
        if newest.version != given.get("seen"):
            self.data = {**{name: self.data.get(name) for name in self.data}, "seen": str(newest.version)}
            who = newest.changed_by or _("somebody")
            raise ValidationError(
                _("%(who)s saved these settings meanwhile. What you typed is still here: look at it and save again.")
                % {"who": who}
            )
        values = {name: given[name] for name in FIELDS if given.get(name) not in (None, "", [])}
        if not self.errors and not versions.between(newest.values, values):
            raise ValidationError(_("Nothing is changed yet."))
        self.instance.version, self.instance.values = newest.version + 1, values
        return given


def _default_of(setting: Setting) -> str:
    """Return what an empty field means, in words."""
    default = setting.default
    shown = ", ".join(default) if isinstance(default, list) else str(default)
    return _("Empty: %(value)s") % {"value": shown} if shown else ""


def _form() -> Any:
    return type("NewsroomForm", (SettingsForm,), {name: setting.form_field() for name, setting in FIELDS.items()})


@admin.register(Newsroom)
class NewsroomAdmin(PlainAdmin):
    """Versions are added by the form and never changed."""

    form = _form()
    list_display = ("version", "changed_at", "changed_by", "what", "why")
    list_display_links = ("version",)
    list_select_related = ("changed_by",)
    sortable_by = ()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may_see(request.user, Newsroom) or self.has_add_permission(request)

    def get_fieldsets(self, request: HttpRequest, obj: Newsroom | None = None) -> Any:
        if obj:
            return [(None, {"fields": ("version", "changed_at", "changed_by", "why", "changes")})]
        sections: dict[str, list[str]] = {}
        for name, setting in FIELDS.items():
            sections.setdefault(str(setting.section), []).append(name)
        return [*((title, {"fields": names}) for title, names in sections.items()), (None, {"fields": ("why", "seen")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Newsroom | None = None) -> Any:
        return ("version", "changed_at", "changed_by", "why", "changes") if obj else ()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        only_save = {"show_save_and_add_another": False, "show_save_and_continue": False}
        words = {"title": _("Change the newsroom’s settings"), **only_save}
        return super().add_view(request, form_url, {**words, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Newsroom, form: Any, change: bool) -> None:
        obj.changed_by = cast(User, request.user)  # who may be here is no anonymous user
        versions.save(obj)

    @admin.display(description=gettext_lazy("what changed"))
    def what(self, row: Newsroom) -> str:
        changed = versions.changes(row)
        names = ", ".join(str(change.setting.label) for change in changed[:3])
        more = len(changed) - 3
        if more <= 0:
            return names
        return ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {"names": names, "n": more}

    @admin.display(description=gettext_lazy("what changed"))
    def changes(self, row: Newsroom) -> SafeString:
        rows = [(c.setting.label, _shown(c.before), _shown(c.after)) for c in versions.changes(row)]
        lines = format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td><td>{}</td></tr>", rows)
        heads = (_("Setting"), _("Before"), _("Now"))
        head = format_html_join("", "<th scope='col'>{}</th>", ((each,) for each in heads))
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, lines)


def _shown(value: Any) -> str:
    if value is None:
        return _("as in the environment")
    return ", ".join(value) if isinstance(value, list) else str(value)

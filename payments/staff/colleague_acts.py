"""The acts on a colleague: their role, their second factor, their sessions, a new link, and closing their account.

Nobody does them to themselves, to a superuser, or to somebody who may do more (members/staff/roles.py).
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.staff import door, factor, invitations, roles
from payments.desk.acts.act import Act


def role_choices(actor: User) -> list[tuple[str, str]]:
    """Return the roles that this user may give, each with what it may do."""
    return [(name, f"{roles.NAMES[name]}: {roles.MAY[name]}") for name in roles.givable(actor)]


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=gettext_lazy("Role"), widget=forms.RadioSelect)

    def __init__(self, data: Any, actor: User, row: User | None = None) -> None:
        now = row.groups.values_list("name", flat=True).first() if row else None
        super().__init__(data, initial={"role": now})
        self.fields["role"].choices = role_choices(actor)  # type: ignore[attr-defined]


class ColleagueAct(Act):
    steps_up = True
    problems: tuple[type[Exception], ...] = (roles.NotYours,)

    def explain(self, problem: Exception) -> str:
        return _("You may not do this to this colleague: nobody gives or takes rights that they do not have.")


class GiveRole(ColleagueAct):
    slug = "role"
    label = gettext_lazy("Change the role")

    def form_for(self, row: User, data: Any, actor: User) -> forms.Form:
        return RoleForm(data, actor, row)

    def question(self, row: User) -> str:
        return _("What may %(name)s do?") % {"name": row.get_username()}

    def consequences(self, row: User) -> list[object]:
        return [_("It counts from their next page on. You can give roles only whose rights you have yourself.")]

    def perform(self, row: User, answers: dict[str, Any], actor: User) -> str:
        roles.give(actor, row, answers["role"])
        return _("The role is changed.")


class ResetFactor(ColleagueAct):
    slug = "reset-second-factor"
    label = gettext_lazy("Reset the second factor")
    is_grave = True

    def is_open(self, row: User) -> bool:
        return factor.device_of(row) is not None

    def question(self, row: User) -> str:
        return _("Reset the second factor of %(name)s?") % {"name": row.get_username()}

    def consequences(self, row: User) -> list[object]:
        return [
            _("Their app and their recovery codes stop working, and their sessions end."),
            _("At the next sign-in they set a new one. Do it only when you have spoken with them."),
        ]

    def perform(self, row: User, answers: dict[str, Any], actor: User) -> str:
        factor.reset(row)
        return _("The second factor is reset.")


class EndSessions(ColleagueAct):
    slug = "sign-out"
    label = gettext_lazy("Sign out everywhere")

    def question(self, row: User) -> str:
        return _("End all sessions of %(name)s?") % {"name": row.get_username()}

    def consequences(self, row: User) -> list[object]:
        return [_("They sign in again with their password, in every browser.")]

    def perform(self, row: User, answers: dict[str, Any], actor: User) -> str:
        door.end_sessions(row)
        return _("All their sessions are ended.")


class NewLink(ColleagueAct):
    slug = "new-link"
    label = gettext_lazy("A link for a new password")

    def is_open(self, row: User) -> bool:
        return row.is_active

    def question(self, row: User) -> str:
        return _("Make a link with which %(name)s sets a new password?") % {"name": row.get_username()}

    def consequences(self, row: User) -> list[object]:
        return [
            _("Their password and every earlier link stop working now, and their sessions end."),
            _("You see the link once. It works once, for seven days: give it to nobody else."),
            _("Their second factor stays as it is."),
        ]

    def perform(self, row: User, answers: dict[str, Any], actor: User) -> str:
        return link_shown(invitations.renew(row))


class CloseAccount(ColleagueAct):
    slug = "close"
    label = gettext_lazy("Close the account")
    is_grave = True

    def is_open(self, row: User) -> bool:
        return row.is_active

    def question(self, row: User) -> str:
        return _("Close the account of %(name)s?") % {"name": row.get_username()}

    def consequences(self, row: User) -> list[object]:
        return [_("They cannot enter any more. What they did stays in the books under their name.")]

    def perform(self, row: User, answers: dict[str, Any], actor: User) -> str:
        door.end_sessions(row)
        User.objects.filter(pk=row.pk).update(is_active=False)
        return _("The account is closed.")


class OpenAccount(ColleagueAct):
    slug = "open"
    label = gettext_lazy("Open the account again")

    def is_open(self, row: User) -> bool:
        return not row.is_active

    def question(self, row: User) -> str:
        return _("Open the account of %(name)s again?") % {"name": row.get_username()}

    def perform(self, row: User, answers: dict[str, Any], actor: User) -> str:
        User.objects.filter(pk=row.pk).update(is_active=True)
        return _("The account is open.")


def link_shown(link: str) -> str:
    """Return the message with a link to give to a colleague. It is shown once."""
    words = _("Give this link to your colleague yourself, for example by Signal. It works once, for seven days:")
    return format_html("{} <code>{}</code>", words, link)

"""Invitations of colleagues: a signed link, for one use within seven days, with which they set their name and password.

Nothing is stored for it: the link ends with the unusable password that it was made for. Called by the desk's page of
colleagues and by the view behind the link.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import salted_hmac

from members.staff import door, roles, staff_log

LIVES_SECONDS = 7 * 86400
PURPOSE = "hromada.desk.invitation"


@transaction.atomic
def invite(actor: User, email: str, role: str) -> tuple[User, str]:
    """Create a colleague with a role, who has no password yet; return them and the link to give them.

    Raises roles.NotYours if the actor may not give this role.
    """
    if role not in roles.givable(actor):
        raise roles.NotYours
    colleague = User(username=f"invited-{secrets.token_hex(4)}", email=email, is_staff=True)
    colleague.set_unusable_password()
    colleague.save()
    colleague.groups.set(Group.objects.filter(name=role))
    staff_log.record(actor, "colleague.invited", colleague, role=role)
    return colleague, link(colleague)


@transaction.atomic
def renew(colleague: User) -> str:
    """Take a colleague's password, end their sessions and every earlier link; return a new link to set a password."""
    row = User.objects.select_for_update().get(pk=colleague.pk)
    row.set_unusable_password()
    row.save(update_fields=["password"])
    door.end_sessions(row)
    return link(row)


def link(colleague: User) -> str:
    token = signing.dumps([colleague.pk, _mark(colleague)], salt=PURPOSE)
    return settings.SITE_URL + reverse("admin:invitation", args=[token])


def read(token: str) -> User | None:
    """Return the colleague whom a link was made for; None if it is not valid, used or over."""
    try:
        number, mark = signing.loads(token, salt=PURPOSE, max_age=LIVES_SECONDS)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    colleague = User.objects.filter(pk=number, is_active=True, is_staff=True).first()
    if colleague is None or colleague.has_usable_password() or mark != _mark(colleague):
        return None
    return colleague


@transaction.atomic
def accept(token: str, username: str, password: str) -> User | None:
    """Set the name and the password of the colleague behind a link; None if the link was used a moment ago."""
    found = read(token)
    if found is None:
        return None
    row = User.objects.select_for_update().get(pk=found.pk)
    if read(token) is None:
        return None
    row.username = username
    row.set_password(password)
    row.save(update_fields=["username", "password"])
    staff_log.record(row, "colleague.joined", row)
    return row


def _mark(colleague: User) -> str:
    """Return a text that changes with the password, also with an unusable one."""
    return salted_hmac(PURPOSE, colleague.password).hexdigest()[:24]

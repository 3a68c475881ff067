"""Colleagues at the desk for tests: signed in, in a role, with a second factor; and a search as its form makes it."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import Group, User
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from members.staff import door
from tests import factories


def sign_in(client: Client, user: User | None = None) -> User:
    """Sign in a user (a superuser by default) who has just proved who they are; return them."""
    user = user or factories.staff()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    confirm(client)
    return user


def confirm(client: Client, seconds_ago: int = 0) -> None:
    """Let a client that is signed in have proved who it is, just now or some time ago."""
    session = client.session
    session[door.CONFIRMED] = int(time.time()) - seconds_ago
    session.save()


def search(client: Client, address: str, term: str, **query: str) -> Any:
    """Search in a list of people as its form does: the words are posted, and the list has an id in its address."""
    asked = f"{address}?{urlencode(query)}" if query else address
    return client.post(asked, {"q": term}, follow=True)


def in_role(role: str, username: str = "") -> User:
    """Make a member of staff in one of the ready roles."""
    made = factories.staff(username or role.lower(), is_superuser=False)
    made.groups.set(Group.objects.filter(name=role))
    return made


def second_factor(user: User) -> TOTPDevice:
    return TOTPDevice.objects.create(user=user, name="app", confirmed=True)


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    """Return the six digits that an app shows, now or some half minutes later. Codes are good once."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06d}"

"""The door of the desk: whether a request may enter, or must sign in, give a second factor or set one first.

A session ends twelve hours after signing in, and when all sessions of its user are ended. One query a request. Called
by project/admin_site.py and by the views of the second factor.
"""

from __future__ import annotations

import time
from enum import Enum

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from members.models import StaffAccount

# What a session holds: when it began, under which count of endings, and when its owner last proved who they are.
BEGAN, ENDED, FACTOR, CONFIRMED = "desk_began", "desk_ended", "desk_factor", "desk_confirmed"


class Door(Enum):
    OPEN = "open"
    SIGN_IN = "sign in"
    GIVE = "give the second factor"
    SET = "set a second factor"


def of(request: HttpRequest) -> Door:
    """Return what a request has to do before it may enter the desk. Asked once a request, then remembered on it."""
    if not hasattr(request, "_desk_door"):
        request._desk_door = _find(request)  # type: ignore[attr-defined]
    found: Door = request._desk_door  # type: ignore[attr-defined]
    return found


def begin(request: HttpRequest) -> None:
    """Begin a session at the desk, directly after the password was right."""
    user = request.user
    ended = StaffAccount.objects.filter(pk=user.pk).values_list("sessions_ended", flat=True).first()
    request.session[BEGAN] = int(time.time())
    request.session[ENDED] = ended or 0
    request.session.pop(FACTOR, None)
    has_factor = TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).exists()
    if has_factor:
        request.session.pop(CONFIRMED, None)
    else:
        confirm(request)
    _forget(request)


def confirm(request: HttpRequest, *, has_factor: bool = False) -> None:
    """Note that the person proved just now who they are; with `has_factor`, by their second factor."""
    request.session[CONFIRMED] = int(time.time())
    if has_factor:
        request.session[FACTOR] = True
        request.session.cycle_key()
    _forget(request)


def confirmed_seconds_ago(request: HttpRequest) -> float:
    """Return how long ago the person last proved who they are, in seconds; infinity for never."""
    at = request.session.get(CONFIRMED)
    return time.time() - at if isinstance(at, int) else float("inf")


@transaction.atomic
def end_sessions(user: User) -> None:
    """End all sessions of a user, in every browser, from their next request on."""
    account, _is_new = StaffAccount.objects.get_or_create(pk=user.pk)
    StaffAccount.objects.filter(pk=account.pk).update(sessions_ended=F("sessions_ended") + 1)


def keep_session(request: HttpRequest) -> None:
    """Let the session of this request outlive `end_sessions` of its own user."""
    account = StaffAccount.objects.filter(pk=request.user.pk).first()
    request.session[ENDED] = account.sessions_ended if account else 0
    _forget(request)


def _find(request: HttpRequest) -> Door:
    user = request.user
    if not (user.is_active and user.is_staff):
        return Door.SIGN_IN
    began = request.session.get(BEGAN)
    if isinstance(began, int) and time.time() - began > settings.SESSION_COOKIE_AGE:
        return Door.SIGN_IN
    devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    row = User.objects.filter(pk=user.pk).values_list("staff_account__sessions_ended", Exists(devices)).first()
    ended, has_factor = row or (None, False)
    if request.session.get(ENDED, 0) != (ended or 0):
        return Door.SIGN_IN
    if has_factor:
        return Door.OPEN if request.session.get(FACTOR) else Door.GIVE
    return Door.SET if settings.STAFF_SECOND_FACTOR else Door.OPEN


def _forget(request: HttpRequest) -> None:
    if hasattr(request, "_desk_door"):
        del request._desk_door

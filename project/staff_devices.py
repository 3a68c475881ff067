"""Browsers in which somebody of staff has signed in: they keep a way in while strangers try passwords for that name.

A cookie says so, https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies. It opens
nothing: the password is asked for all the same, and django-axes counts wrong ones by name and network.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.core import signing
from django.http import HttpRequest, HttpResponse

from members import limits

COOKIE = "desk_device"
LIVES = 180 * 24 * 3600
MOST_A_NAME, HOUR = 30, 3600
PURPOSE = "hromada.desk.device"


def remember(response: HttpResponse, user: AbstractBaseUser) -> None:
    """Set the cookie of a browser in which this user has just signed in; it ends with the password."""
    value = signing.dumps([user.pk, _mark(user)], salt=PURPOSE)
    response.set_cookie(
        COOKIE,
        value,
        max_age=LIVES,
        path="/admin/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def may_try(request: HttpRequest | None, username: str) -> bool:
    """Count one try to sign in with a name, whether it exists or not; return whether it may be made.

    Browsers that are not known for the name share MOST_A_NAME tries an hour, from all networks together.
    """
    if request is not None and _is_known(request, username):
        return True
    return limits.hit("staff-name", username.casefold(), MOST_A_NAME, HOUR)


def _is_known(request: HttpRequest, username: str) -> bool:
    try:
        pk, mark = signing.loads(request.COOKIES.get(COOKIE, ""), salt=PURPOSE, max_age=LIVES)
    except (signing.BadSignature, TypeError, ValueError):
        return False
    user = User.objects.filter(pk=pk, username=username, is_active=True).first()
    return user is not None and mark == _mark(user)


def _mark(user: AbstractBaseUser) -> str:
    """Return a text that changes with the user's password."""
    return user.get_session_auth_hash()[:16]

"""The second factor of staff: codes of an app (TOTP, by django-otp) and recovery codes, stored as hashes.

Tries are counted here: a code has six digits. Called by the views of the second factor, by members/staff/step_up.py, by
the act that resets a colleague's, and by `manage.py reset_second_factor`.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b32encode

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from members import limits
from members.models import RecoveryCode
from members.staff import door

CODES = 10
SHORTLY, SHORTLY_SECONDS = 10, 900
DAILY, DAILY_SECONDS = 200, 86400


class TooManyTries(Exception):
    """Codes or passwords were tried too often: the next try is possible in a quarter of an hour."""


def device_of(user: User) -> TOTPDevice | None:
    """Return the app that makes a user's codes; None without a second factor."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def is_right(user: User, text: str) -> bool:
    """Return whether this is a code of the user's app, or a recovery code, which is used up by it.

    A code works once. Raises TooManyTries.
    """
    typed = "".join(text.split()).replace("-", "")
    if len(typed) == 6 and typed.isdecimal():
        count_try(user, "code")
        with transaction.atomic():
            device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).first()
            return device is not None and device.verify_token(typed)
    # Counted apart, so that somebody who guesses the app's codes leaves its owner this way in.
    count_try(user, "recovery")
    unused = RecoveryCode.objects.filter(user=user, hashed_code=_hashed(typed), used_at=None)
    return unused.update(used_at=timezone.now()) == 1


def count_try(user: User, kind: str) -> None:
    """Count one try of a user to prove who they are. Raises TooManyTries."""
    who = f"{kind}:{user.pk}"
    is_within = limits.hit("staff-factor", who, SHORTLY, SHORTLY_SECONDS)
    if not (is_within and limits.hit("staff-factor-day", who, DAILY, DAILY_SECONDS)):
        raise TooManyTries


def propose(user: User) -> TOTPDevice:
    """Return the app that a user is about to set, with its secret; the same one until it is confirmed."""
    device, _is_new = TOTPDevice.objects.get_or_create(user=user, confirmed=False, defaults={"name": "app"})
    return device


def secret_of(device: TOTPDevice) -> str:
    """Return the secret of an app as people type it: groups of four letters and digits."""
    text = b32encode(device.bin_key).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def confirm(user: User, text: str) -> list[str] | None:
    """Make the proposed app the user's second factor if this is a code of it; return new recovery codes, else None.

    An earlier app and its codes stop working. Raises TooManyTries.
    """
    count_try(user, "new")
    typed = "".join(text.split())
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        if device is None or not (typed.isdecimal() and device.verify_token(typed)):
            return None
        TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        return new_codes(user)


@transaction.atomic
def new_codes(user: User) -> list[str]:
    """Replace all recovery codes of a user; return the new ones. They can be shown now and never again."""
    codes = [b32encode(secrets.token_bytes(10)).decode().lower() for _number in range(CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, hashed_code=_hashed(code)) for code in codes)
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]


@transaction.atomic
def reset(user: User) -> bool:
    """Remove a user's second factor and end their sessions; return whether there was one. The caller logs it."""
    deleted, _rows = TOTPDevice.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    door.end_sessions(user)
    return deleted > 0


def _hashed(code: str) -> str:
    """Return the hash of a recovery code. Its 80 random bits cannot be guessed, so no slow hash is needed."""
    return hashlib.sha256(code.lower().encode()).hexdigest()

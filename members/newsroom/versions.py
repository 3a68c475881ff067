"""Versions of the newsroom's settings: what each changed, and saving a new one. Called by the desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from members.models import Newsroom
from members.newsroom import values
from members.newsroom.fields import FIELDS, Setting


@dataclass(frozen=True)
class Change:
    """A setting that one version changed. None stands for "as in the environment"."""

    setting: Setting
    before: Any
    after: Any


def newest() -> Newsroom:
    """Return the newest version; one that is not saved, number 0, if staff have set nothing yet."""
    return Newsroom.objects.first() or Newsroom(version=0)


def newest_alone() -> Newsroom:
    """Return the newest version, and let nobody else save one until the transaction ends. Needs a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {Newsroom._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
    return newest()


def changes(version: Newsroom) -> list[Change]:
    """Return what a version changed, in the order of the form. One query."""
    before = Newsroom.objects.filter(version__lt=version.version).first()
    return between(before.values if before else {}, version.values)


def between(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    pairs = [(setting, before.get(name), after.get(name)) for name, setting in FIELDS.items()]
    return [Change(setting, was, now) for setting, was, now in pairs if was != now]


def save(version: Newsroom) -> None:
    """Save a new version, which counts at once here and in other processes within values.FRESH_SECONDS."""
    version.save(force_insert=True)
    values.remember(version.values)

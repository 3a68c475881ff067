"""The doctor's look at settings, database, schema, Redis and collected files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.checks import ERROR as CHECK_ERROR
from django.core.checks import WARNING, run_checks
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http.request import validate_host

from project.doctor.finding import Finding, fail, ok, warn

MANIFEST = "staticfiles.json"
SOME = 3


def settings_are_right() -> Iterator[Finding]:
    """What Django and our own checks say; in production with its list for deployment."""
    found = [each for each in run_checks(include_deployment_checks=not settings.DEBUG) if not each.is_silenced()]
    for each in found:
        if each.level >= WARNING:
            words = f"{each.msg} {each.hint or ''}".strip()
            yield (fail if each.level >= CHECK_ERROR else warn)("settings", f"{each.id} {words}")
    host = urlsplit(settings.SITE_URL).hostname or ""
    if not validate_host(host, settings.ALLOWED_HOSTS):
        yield fail("settings", f"SITE_URL's host {host} is not in ALLOWED_HOSTS: readers would get 400. Add it.")
    elif all(each.level < CHECK_ERROR for each in found):
        yield ok("settings", "DEBUG is on: not for production" if settings.DEBUG else f"for {settings.SITE_URL}")


def database() -> Iterator[Finding]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), pg_is_in_recovery()")
            version, is_copy = cursor.fetchone()
    except Error as problem:
        yield fail("database", f"does not answer ({type(problem).__name__}). Is DATABASE_URL right, does it run?")
        return
    if is_copy:
        yield fail("database", "is a read-only copy. DATABASE_URL must lead to the one that is written.")
    else:
        yield ok("database", f"PostgreSQL {version}")


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:SOME])
        yield fail("migrations", f"{len(plan)} wait ({names}). Run manage.py migrate.")
    else:
        yield ok("migrations", "all applied")


def cyrillic() -> Iterator[Finding]:
    """Searching for people by name relies on it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT upper('олена') = 'ОЛЕНА', 'ОЛЕНА' ILIKE 'олена', current_setting('server_encoding')")
        folds, matches, encoding = cursor.fetchone()
    if folds and matches and encoding == "UTF8":
        yield ok("Cyrillic", "the database folds it")
    else:
        yield fail(
            "Cyrillic",
            "the database does not tell олена and ОЛЕНА to be one. It must be made with UTF-8 and a locale that does; "
            "see docs/operations.md, What runs.",
        )


def redis_server() -> Iterator[Finding]:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3) as server:
            memory = dict(server.info("memory"))
    except (redis.RedisError, OSError, ValueError) as problem:
        yield fail("Redis", f"does not answer ({type(problem).__name__}). Letters wait until it does. See REDIS_URL.")
        return
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and memory.get("maxmemory"):
        yield warn("Redis", f"throws things away when it is full ({policy}). Set maxmemory-policy to noeviction.")
    else:
        yield ok("Redis", "answers and keeps what it is given")


def static_files() -> Iterator[Finding]:
    """Production serves what `collectstatic` collected; a file it does not know would break a page."""
    if settings.DEBUG:
        yield ok("static files", "served as they are, because DEBUG is on")
        return
    manifest = Path(settings.STATIC_ROOT) / MANIFEST
    known = json.loads(manifest.read_text())["paths"] if manifest.exists() else {}
    missing = [name for finder in get_finders() for name, _ in finder.list([]) if name not in known]
    if missing:
        names = ", ".join(sorted(missing)[:SOME])
        yield fail("static files", f"{len(missing)} are not collected ({names}). Run manage.py collectstatic.")
    else:
        yield ok("static files", f"{len(known)} collected")

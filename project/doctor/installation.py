"""The doctor's checks of settings, database, schema, Redis and static files."""

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

from members.mail import permission
from members.newsroom import values as newsroom
from project.doctor.finding import Finding, fail, ok, warn

MANIFEST = "staticfiles.json"
SOME = 3


def settings_are_right() -> Iterator[Finding]:
    """Report the results of the system checks, in production with Django's deployment checks, and a wrong SITE_URL."""
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
    """Check that the database answers and is not a read-only standby."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), pg_is_in_recovery()")
            version, is_standby = cursor.fetchone()
    except Error as problem:
        yield fail("database", f"does not answer ({type(problem).__name__}). Is DATABASE_URL right, does it run?")
        return
    if is_standby:
        yield fail("database", "is a read-only standby. DATABASE_URL must name the primary server.")
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
    """Check that the database ignores the case of Cyrillic letters, which the search for people needs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT upper('олена') = 'ОЛЕНА', 'ОЛЕНА' ILIKE 'олена', current_setting('server_encoding')")
        folds, matches, encoding = cursor.fetchone()
    if folds and matches and encoding == "UTF8":
        yield ok("Cyrillic", "the database ignores its case in searches")
    else:
        yield fail(
            "Cyrillic",
            "the database treats олена and ОЛЕНА as different. Create it with UTF-8 and a locale that ignores case; "
            "see docs/operations.md, What runs.",
        )


def newsroom_is_complete() -> Iterator[Finding]:
    """Name what readers and the law expect and nobody has set, at the desk or in the environment."""
    missing = {
        "LEGAL_ADDRESS": "the postal address under every email",
        "LEGAL_REGISTRATION": "the register and number of the publisher",
        "EDITOR_NAME": "the person who signs",
        "STAFF_ALERT_EMAILS": "who of you is told when something is wrong",
    }
    empty = [f"{name} ({meaning})" for name, meaning in missing.items() if not newsroom.value(name)]
    if newsroom.text("CONTACT_EMAIL").endswith(".invalid"):
        empty.append("CONTACT_EMAIL (where readers reach a person)")
    if permission.waits_for_address():
        yield fail(
            "newsroom", "LEGAL_ADDRESS is not set, so no email to readers leaves. Set it under Newsroom settings."
        )
    elif empty:
        yield warn("newsroom", f"not set: {', '.join(empty)}. Set it at the desk, under Newsroom settings.")
    else:
        yield ok("newsroom", "its settings are complete")


def redis_server() -> Iterator[Finding]:
    """Check that Redis answers and does not evict keys."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3) as server:
            memory = dict(server.info("memory"))
    except (redis.RedisError, OSError, ValueError) as problem:
        yield fail("Redis", f"does not answer ({type(problem).__name__}). Emails wait until it does. See REDIS_URL.")
        return
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and memory.get("maxmemory"):
        yield warn("Redis", f"evicts keys when its memory is full ({policy}). Set maxmemory-policy to noeviction.")
    else:
        yield ok("Redis", "answers and evicts no keys")


def static_files() -> Iterator[Finding]:
    """Check that `collectstatic` has collected every static file: in production a missing one breaks pages."""
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

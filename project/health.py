"""Health checks: `/healthz` for this process, `/readyz` for whether it can serve requests, `/metrics` for Prometheus.

For load balancers, orchestrators and monitoring. No answer contains a person, an address or a version. The numbers of
`/metrics` are in project/metrics.py.
"""

from __future__ import annotations

import ipaddress
import logging
import shutil
import time

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from payments import heartbeats
from project.metrics import CONTENT_TYPE, exposition

log = logging.getLogger("hromada.health")

MIGRATIONS_STAY_APPLIED_FOR = 60.0  # seconds; checking takes a dozen queries
DISK_IS_LOW_BELOW = 100 * 2**20
_migrations_seen_applied_at: float | None = None


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200. Checks neither database nor Redis, because restarting this process would not repair them."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if requests can be served, else 503: the database must be writable and fully migrated.

    Without Redis, emails wait but nothing is lost, and with little disk space events are still stored: 200, "degraded".
    Silent processes (drain, worker, beat) are reported, but change neither the status nor the code. Only who may read
    the metrics is told what was checked.
    """
    checks = {"database": _database(), "migrations": "unknown", "redis": _redis(), "heartbeats": "unknown"}
    if checks["database"] == "ok":
        checks["migrations"] = _migrations()
    if checks["migrations"] == "ok":
        checks["heartbeats"] = _heartbeats()
    checks["disk"] = _disk()
    is_ready = checks["database"] == checks["migrations"] == "ok"
    status = "not ready" if not is_ready else "ready" if checks["redis"] == checks["disk"] == "ok" else "degraded"
    told = {"status": status, "checks": checks} if _may_know(request) else {"status": status}
    return JsonResponse(told, status=200 if is_ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics for Prometheus; 503 while the database is down, 403 if the caller is not allowed.

    Allowed are requests from this machine that no proxy forwarded, and requests with METRICS_TOKEN.
    """
    if not _may_know(request):
        return JsonResponse({"detail": "Only from this machine, or with the metrics token."}, status=403)
    try:
        return HttpResponse(exposition(), content_type=CONTENT_TYPE)
    except Error as problem:
        log.warning("metrics.unavailable reason=%s", type(problem).__name__)
        return HttpResponse("# The database does not answer.\n", status=503, content_type=CONTENT_TYPE)


def _database() -> str:
    """Return "ok", "read-only" (a standby, or a role that may not write) or "down"."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"
                " OR NOT coalesce(has_table_privilege(to_regclass('payments_stripeevent'), 'INSERT'), true)"
            )
            (is_read_only,) = cursor.fetchone()
    except Error as problem:
        log.warning("readyz.database reason=%s", type(problem).__name__)
        return "down"
    return "read-only" if is_read_only else "ok"


def _migrations() -> str:
    """Return "ok", "waiting" or "unknown". Once all are applied, they are not checked again for a minute."""
    global _migrations_seen_applied_at
    now = time.monotonic()
    if _migrations_seen_applied_at is not None and now - _migrations_seen_applied_at < MIGRATIONS_STAY_APPLIED_FOR:
        return "ok"
    try:
        executor = MigrationExecutor(connection)
        is_waiting = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except Error as problem:
        log.warning("readyz.migrations reason=%s", type(problem).__name__)
        return "unknown"
    _migrations_seen_applied_at = None if is_waiting else now
    return "waiting" if is_waiting else "ok"


def _heartbeats() -> str:
    try:
        silent = heartbeats.stale()
    except Error as problem:
        log.warning("readyz.heartbeats reason=%s", type(problem).__name__)
        return "unknown"
    return f"silent: {', '.join(silent)}" if silent else "ok"


def _redis() -> str:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError):
        return "down"
    return "ok"


def _disk() -> str:
    """Return "ok", or "low: ..." with the megabytes left for DATA_DIR, where emails as files and local servers are."""
    try:
        free = shutil.disk_usage(settings.DATA_DIR).free
    except OSError:
        return "ok"  # without the folder, this installation writes nothing to this disk
    return "ok" if free > DISK_IS_LOW_BELOW else f"low: {free // 2**20} MB left"


def _may_know(request: HttpRequest) -> bool:
    return _comes_from_this_machine(request) or _has_token(request)


def _comes_from_this_machine(request: HttpRequest) -> bool:
    """Return whether the request comes from this machine.

    A forwarded request does not count, because a proxy on this machine forwards requests from everywhere.
    """
    is_forwarded = settings.TRUSTED_PROXY_COUNT or {"X-Forwarded-For", "Forwarded", "X-Real-Ip"} & set(request.headers)
    if is_forwarded:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _has_token(request: HttpRequest) -> bool:
    wanted = settings.METRICS_TOKEN
    return bool(wanted) and constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {wanted}")

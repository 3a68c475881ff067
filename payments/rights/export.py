"""Everything that is kept about one person, and about nobody else: as JSON, and as a page that people can read.

Goes through the privacy map row by row. Staff are named by their part only. Called by `manage.py export_person` and by
the desk; whoever calls it has made sure who asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from members import clock
from members.models import TimelineEntry
from members.rights.lines import Kept
from members.rights.person import Person
from payments.inbox.masking import SECRETS
from payments.rights.map import MAP


@dataclass(frozen=True)
class Export:
    """The files of an export: `data` is JSON, `page` the same as HTML; `name` is that of the files, without ending."""

    name: str
    data: str
    page: str


def make(person: Person, surface: str, actor: User | None = None) -> Export:
    """Return all data of a person, and add to their timeline that it was exported."""
    language = person.supporter.language if person.supporter else settings.LANGUAGE_CODE
    with translation.override(language):
        data = collect(person)
        page = render_to_string("rights/export.html", {**data, "language": language})
    if person.supporter:
        details = {"surface": surface}
        TimelineEntry.objects.create(
            supporter=person.supporter, action="supporter.exported", actor=actor, details=details
        )
    written = json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
    return Export(f"export-{person.name_in_files}", written, page)


def collect(person: Person) -> dict[str, Any]:
    """Return all data of a person as plain values: a part per model that has rows of theirs, then acts of staff."""
    parts: list[dict[str, Any]] = []
    acts: list[dict[str, Any]] = []
    for kept in MAP:
        if kept.of is None:
            continue
        rows = list(kept.model._default_manager.filter(kept.of(person)).order_by("pk").distinct())
        if rows:
            shown = [{"number": row.pk, "fields": list(_fields(kept, row))} for row in rows]
            name = str(kept.model._meta.verbose_name_plural)
            parts.append({"model": kept.model._meta.label, "name": name, "rows": shown})
            acts += _acts(kept.model, [str(row.pk) for row in rows])
    return {
        "newsroom": settings.LEGAL_NAME,
        "made_at": clock.now(),
        "parts": parts,
        "acts": sorted(acts, key=lambda act: act["at"]),
    }


def _fields(kept: Kept, row: Model) -> Iterator[dict[str, Any]]:
    """Yield name, label, purpose and value of each field that a row has a value in, but not what gives access."""
    for field in kept.model._meta.concrete_fields:
        line = kept.lines.get(field.name)
        value = _value(field, row)
        if value in (None, "", {}) or (line and not line.is_given):
            continue
        purpose = line.purpose if line else ""
        yield {"field": field.name, "label": str(field.verbose_name), "purpose": purpose, "value": value}


def _value(field: Field[Any, Any], row: Model) -> Any:
    value = getattr(row, field.attname)
    if field.is_relation and field.related_model is User:
        return _("staff") if value else None
    if isinstance(value, bytes | memoryview):
        return _payload(bytes(value))
    return str(value) if field.get_internal_type() == "UUIDField" else value


def _payload(payload: bytes) -> Any:
    """Return what Stripe sent as plain values, without addresses that give access; as text if it is not JSON."""
    try:
        return _without_secrets(json.loads(payload))
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace")


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(inner) for key, inner in value.items() if key not in SECRETS}
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value


def _acts(model: type[Model], numbers: list[str]) -> Iterator[dict[str, Any]]:
    """Yield what staff did to these rows at the desk: when, to what, and which act; not which of them."""
    logged = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model), object_id__in=numbers)
    for entry in logged:
        what = f"{model._meta.verbose_name} {entry.object_id}"
        yield {"at": entry.action_time, "what": what, "act": entry.get_change_message()}

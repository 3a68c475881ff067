"""Error reports contain the place in the code and no personal data."""

from __future__ import annotations

from typing import Any

from project import reporting


def test_a_report_names_nobody() -> None:
    event: Any = {
        "event_id": "1",
        "level": "error",
        "user": {"email": "olena@example.org"},
        "request": {"url": "/stop/secret/"},
        "breadcrumbs": [{"message": "olena@example.org"}],
        "extra": {"name": "Олена"},
        "server_name": "desk",
        "exception": {"values": [{"type": "ValueError", "value": "olena@example.org", "stacktrace": {"frames": []}}]},
    }
    kept = reporting.only_the_code(event, {})
    assert kept is not None
    assert set(kept) == {"event_id", "level", "exception"}
    assert kept["exception"]["values"] == [{"type": "ValueError", "value": "", "stacktrace": {"frames": []}}]

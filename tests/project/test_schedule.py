"""The schedule of beat, after a stop: beat sends everything that became due while it was off at the same moment."""

from __future__ import annotations

from project import schedule


def entry(task: str) -> dict[str, object]:
    return next(entry for entry in schedule.BEAT.values() if entry["task"] == f"payments.tasks.{task}")


def test_alerts_are_judged_when_every_process_can_have_sent_a_heartbeat() -> None:
    alerts = entry("judge_alerts")
    assert isinstance(alerts["options"], dict)
    for heartbeat in ("heartbeat", "bulk_heartbeat"):
        assert "countdown" not in dict(entry(heartbeat)["options"])  # type: ignore[call-overload]
        assert alerts["options"]["countdown"] > entry(heartbeat)["schedule"]
    assert alerts["options"]["expires"] - alerts["options"]["countdown"] >= alerts["schedule"]

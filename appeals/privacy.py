"""The privacy map of `appeals`: its rows hold the newsroom's words and nothing about a person."""

from __future__ import annotations

from appeals.models import Appeal, AppealAmounts, AppealWords, Campaign
from members.rights.lines import Kept

KEPT = (
    Kept(Campaign, nothing=("slug", "title", "goal_currency")),
    Kept(Appeal, nothing=("slug",)),
    Kept(
        AppealWords,
        nothing=("language", "kicker", "headline", "body", "marked", "button", "other_ways", "goal_line"),
    ),
    Kept(AppealAmounts, nothing=("currency",)),
)

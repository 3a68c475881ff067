"""The campaign whose appeal is shown now, its progress and its block. Reads stored progress and never sums money.

Called by the demo article (views.py), by the API for other sites (api.py) and by payments/books/progress.py, which
counts the progress.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.validators import slug_re
from django.db.models import Exists, OuterRef, Q

from appeals import blocks
from appeals.blocks import Block
from appeals.models import Appeal, AppealAmounts, AppealWords, Campaign
from members import clock


def find(slug: str) -> Campaign | None:
    """Return the campaign with this slug, running or not, or None. An invalid slug costs no query."""
    return Campaign.objects.filter(slug=slug).first() if slug_re.match(slug) else None


def default() -> Campaign | None:
    """Return the campaign to show if none is named: the running one with an active appeal that began last, or None."""
    asking = Appeal.objects.filter(campaign=OuterRef("pk"), is_active=True)
    return Campaign.objects.running().filter(Exists(asking)).order_by("-starts_on", "-pk").first()


def running_or_default(campaign: Campaign) -> Campaign | None:
    """Return this campaign while it runs, else the default one, so that pages with an old appeal keep working."""
    return campaign if campaign.runs_on(clock.today()) else default()


def record_progress(campaign_id: int, value: int, counted_at: datetime) -> None:
    """Store a campaign's progress: people, gifts, or minor units of its goal's currency.

    `value` includes what was reached elsewhere; `counted_at` is real time. Idempotent; safe to call concurrently and
    in any order, because an older count never replaces a newer one.
    """
    older = Q(progress_at=None) | Q(progress_at__lte=counted_at)
    Campaign.objects.filter(older, pk=campaign_id).update(progress=value, progress_at=counted_at)


def block(campaign: Campaign | None, language: str, *, currency: str = "", article: str = "", base: str = "") -> Block:
    """Return the block of a campaign in this language; in LANGUAGE_CODE or any other if it has no words in this one.

    `currency` is a code; if it is empty or not offered, the first of CURRENCIES for which the appeal has amounts.
    `base` is put before addresses, for pages on other sites. Without a campaign, appeal or words, the block is a plain
    link. Two queries at most.
    """
    words = _words(campaign, language) if campaign else None
    amounts = _amounts(words.appeal) if words else []
    return blocks.make(
        campaign, words, amounts, language=language, currency=_offered(currency), article=article, base=base
    )


def _words(campaign: Campaign, language: str) -> AppealWords | None:
    """Return the words of the campaign's first active appeal (by slug) that has any, or None.

    In this language, else in LANGUAGE_CODE, else in the first language there is.
    """
    found = AppealWords.objects.filter(appeal__campaign=campaign, appeal__is_active=True)
    rows = list(found.select_related("appeal").order_by("appeal__slug", "language"))
    of_first_appeal = [row for row in rows if row.appeal_id == rows[0].appeal_id]
    by_language = {row.language: row for row in of_first_appeal}
    preferred = (by_language.get(code) for code in (language, settings.LANGUAGE_CODE))
    return next((row for row in preferred if row), of_first_appeal[0] if of_first_appeal else None)


def _amounts(appeal: Appeal) -> list[AppealAmounts]:
    """Return the appeal's amounts in currencies on offer, in the order of CURRENCIES."""
    rows = {row.currency: row for row in AppealAmounts.objects.filter(appeal=appeal)}
    return [rows[code] for code in settings.CURRENCIES if code in rows]


def _offered(currency: str) -> str:
    """Return the currency's code in capitals, or an empty text if it is not offered."""
    return currency.upper() if currency.upper() in settings.CURRENCIES else ""

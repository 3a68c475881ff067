"""Which campaign asks now, how far it has come, and what its block says. Reads one campaign and never sums money.

Called by the article page, by the API for other sites and by the money floor, which counts and tells the progress.
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
    """The campaign of this name, running or not."""
    return Campaign.objects.filter(slug=slug).first() if slug_re.match(slug) else None


def default() -> Campaign | None:
    """The campaign that asks where none is named: running, with an active appeal; of several the one begun last."""
    asking = Appeal.objects.filter(campaign=OuterRef("pk"), is_active=True)
    return Campaign.objects.running().filter(Exists(asking)).order_by("-starts_on", "-pk").first()


def running_or_default(campaign: Campaign) -> Campaign | None:
    """This campaign while it runs. After that the default one: a page that still shows the old ask goes on asking."""
    return campaign if campaign.runs_on(clock.today()) else default()


def record_progress(campaign_id: int, value: int, counted_at: datetime) -> None:
    """How far a campaign has come: people, gifts, or minor units of its goal's currency; what was reached elsewhere
    included. `counted_at` is real time. Safe to call twice and in any order: an older count never replaces a newer.
    """
    older = Q(progress_at=None) | Q(progress_at__lte=counted_at)
    Campaign.objects.filter(older, pk=campaign_id).update(progress=value, progress_at=counted_at)


def block(campaign: Campaign | None, language: str, *, currency: str = "", article: str = "", base: str = "") -> Block:
    """What the block says in this language, or in the site's own where it has no words in this one.

    `currency` is a code, else the first of CURRENCIES the appeal has amounts for; `base` goes before addresses, for
    pages elsewhere. Without a campaign, an appeal or words there is still the plain link. Two queries.
    """
    words = _words(campaign, language) if campaign else None
    amounts = _amounts(words.appeal) if words else []
    return blocks.make(
        campaign, words, amounts, language=language, currency=_offered(currency), article=article, base=base
    )


def _words(campaign: Campaign, language: str) -> AppealWords | None:
    """Words of the campaign's first active appeal that has any: in this language, else the site's own, else any."""
    found = AppealWords.objects.filter(appeal__campaign=campaign, appeal__is_active=True)
    rows = list(found.select_related("appeal").order_by("appeal__slug", "language"))
    ours = [row for row in rows if row.appeal_id == rows[0].appeal_id]
    by_language = {row.language: row for row in ours}
    wanted = (by_language.get(code) for code in (language, settings.LANGUAGE_CODE))
    return next((row for row in wanted if row), ours[0] if ours else None)


def _amounts(appeal: Appeal) -> list[AppealAmounts]:
    """Those in currencies on offer, in the order of CURRENCIES."""
    rows = {row.currency: row for row in AppealAmounts.objects.filter(appeal=appeal)}
    return [rows[code] for code in settings.CURRENCIES if code in rows]


def _offered(currency: str) -> str:
    return currency.upper() if currency.upper() in settings.CURRENCIES else ""

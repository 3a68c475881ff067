"""The block at the end of an article as plain values: paragraphs, progress in words, amounts, links. No queries here.

Made by appeals/campaigns.py, shown by templates/appeals/block.html and by the API (serializers.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils import formats, timezone, translation
from django.utils.translation import gettext, ngettext

from appeals.models import AppealAmounts, AppealWords, Campaign
from members import sums

# Addresses of pages in payments/. Other sites link to them, so they must not change.
SUPPORT, DETAILS, OTHER_WAYS = "/support/", "/support/details/", "/support/other-ways/"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of the appeal. `marked` is its highlighted sentence; only one paragraph of a block has one."""

    before: str
    marked: str = ""
    after: str = ""


@dataclass(frozen=True)
class Amount:
    value: str  # major units, as the form sends it
    text: str
    is_chosen: bool


@dataclass(frozen=True)
class Amounts:
    currency: str
    currency_name: str
    sign: str
    sign_leads: bool
    choices: tuple[Amount, ...]


@dataclass(frozen=True)
class Progress:
    """A campaign's progress. Below the campaign's threshold no bar is shown; `percent` and `reached` are None then."""

    sentence: str
    shows_bar: bool
    percent: int | None
    reached: int | None
    goal: int
    updated_at: datetime | None
    updated: str


@dataclass(frozen=True)
class Block:
    language: str
    campaign: str
    appeal: str
    article: str
    words: AppealWords | None
    paragraphs: tuple[Paragraph, ...]
    amounts: Amounts | None
    progress: Progress | None
    form_url: str
    support_url: str
    other_ways_url: str


def make(
    campaign: Campaign | None,
    words: AppealWords | None,
    amounts: Sequence[AppealAmounts],
    *,
    language: str,
    currency: str,
    article: str,
    base: str,
) -> Block:
    """Build the block, all of it in the language of `words`; without words, in `language`.

    `amounts` are the appeal's suggestions in order of preference. `currency` chooses one; empty means the first.
    `base` is put before every address. Without a campaign, words or amounts, the links are still there.
    """
    spoken = words.language if words else language
    names = {
        "campaign": campaign.slug if campaign else "",
        "appeal": words.appeal.slug if words else "",
        "article": article,
    }
    query = urlencode({key: value for key, value in (names | {"currency": currency, "lang": spoken}).items() if value})
    with translation.override(spoken):
        return Block(
            language=spoken,
            **names,
            words=words,
            paragraphs=_paragraphs(words) if words else (),
            amounts=_amounts(amounts, currency, spoken),
            progress=_progress(campaign, words, spoken) if campaign and campaign.goal else None,
            form_url=base + DETAILS,
            support_url=f"{base}{SUPPORT}?{query}",
            other_ways_url=f"{base}{OTHER_WAYS}?{query}",
        )


def _paragraphs(words: AppealWords) -> tuple[Paragraph, ...]:
    """Return the body's paragraphs, the marked sentence highlighted where it occurs, else added to the last one."""
    texts = [" ".join(part.split()) for part in words.body.replace("\r\n", "\n").split("\n\n") if part.strip()]
    marked = " ".join(words.marked.split())
    at = next((number for number, text in enumerate(texts) if marked and marked in text), None)
    if marked and at is None:
        texts[-1:] = [f"{texts[-1]} {marked}" if texts else marked]
        at = len(texts) - 1
    return tuple(
        Paragraph(*_around(text, marked)) if number == at else Paragraph(text) for number, text in enumerate(texts)
    )


def _around(text: str, marked: str) -> tuple[str, str, str]:
    before, _, after = text.rpartition(marked)
    return before, marked, after


def _amounts(rows: Sequence[AppealAmounts], currency: str, language: str) -> Amounts | None:
    """Return the amounts in this currency, or the first amounts if `currency` is empty.

    Returns None if there are none in this currency: the block then shows a plain link instead of other money.
    """
    row = next((each for each in rows if each.currency == currency or not currency), None)
    if row is None:
        return None
    code = row.currency
    choices = tuple(Amount(str(each), sums.say(each, code, language), each == row.chosen) for each in row.monthly)
    return Amounts(code, sums.name(code, language), sums.sign(code), sums.sign_leads(language), choices)


def _progress(campaign: Campaign, words: AppealWords | None, language: str) -> Progress:
    goal = campaign.goal or 0
    shows_bar = campaign.shows_bar
    return Progress(
        sentence=_sentence(campaign, words.goal_line if words else "", language),
        shows_bar=shows_bar,
        percent=campaign.percent if shows_bar else None,
        reached=campaign.progress if shows_bar else None,
        goal=goal,
        updated_at=campaign.progress_at,
        updated=_updated(campaign.progress_at) if shows_bar and campaign.progress_at else "",
    )


def _sentence(campaign: Campaign, goal_line: str, language: str) -> str:
    """Return the progress in words. `goal_line` is the newsroom's own sentence, used while the bar is shown."""
    goal = _figure(campaign, campaign.goal or 0, language)
    reached = _figure(campaign, campaign.progress, language)
    if campaign.progress >= (campaign.goal or 0):
        return _goal_alone(campaign, goal, is_reached=True)
    if not campaign.shows_bar:
        return _goal_alone(campaign, goal, is_reached=False)
    if goal_line:
        return goal_line.replace("{reached}", reached).replace("{goal}", goal)
    return _reached_of_goal(campaign, reached, goal)


def _goal_alone(campaign: Campaign, goal: str, *, is_reached: bool) -> str:
    """Return a sentence with the goal only: that it is reached, or just what it is."""
    number = campaign.goal or 0
    if campaign.goal_kind == Campaign.Goal.PATRONS:
        what = ngettext("%(goal)s new patron", "%(goal)s new patrons", number)
    elif campaign.goal_kind == Campaign.Goal.GIFTS:
        what = ngettext("%(goal)s gift", "%(goal)s gifts", number)
    else:
        what = "%(goal)s"
    frame = gettext("The goal is reached: %(what)s. Thank you.") if is_reached else gettext("The goal: %(what)s")
    return frame % {"what": what % {"goal": goal}}


def reached_of_goal(campaign: Campaign, language: str) -> str:
    """Return the progress for staff, even below the threshold from which readers see it. Without a goal: the value."""
    reached = _figure(campaign, campaign.progress, language)
    return _reached_of_goal(campaign, reached, _figure(campaign, campaign.goal, language)) if campaign.goal else reached


def _reached_of_goal(campaign: Campaign, reached: str, goal: str) -> str:
    number = campaign.goal or 0
    frame = {
        Campaign.Goal.PATRONS: ngettext(
            "%(reached)s of %(goal)s new patron", "%(reached)s of %(goal)s new patrons", number
        ),
        Campaign.Goal.GIFTS: ngettext("%(reached)s of %(goal)s gift", "%(reached)s of %(goal)s gifts", number),
        Campaign.Goal.MONEY: gettext("%(reached)s of %(goal)s"),
    }[Campaign.Goal(campaign.goal_kind)]
    return frame % {"reached": reached, "goal": goal}


def _figure(campaign: Campaign, value: int, language: str) -> str:
    """Return a number of people or gifts, or a sum in minor units of the goal's currency, written in this language."""
    if campaign.goal_kind != Campaign.Goal.MONEY:
        return sums.number(value, language)
    return sums.say(sums.to_major(value, campaign.goal_currency), campaign.goal_currency, language)


def _updated(moment: datetime) -> str:
    """Return when the progress was counted: a time if it was today, else a date, so that an old count is noticed."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return gettext("Updated at %(time)s") % {"time": local.strftime("%H:%M")}
    return gettext("Updated on %(day)s") % {"day": formats.date_format(local.date(), "DATE_FORMAT")}


def clean_article(text: str) -> str:
    """Return an article's name from another site as one printable line of at most 120 characters."""
    return "".join(character for character in text if character.isprintable()).strip()[:120]

"""Answers of the appeal API, as the published schema shows them. Made from `appeals.blocks.Block`."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from rest_framework import serializers

from appeals.blocks import Block


class AppealText(serializers.Serializer[Any]):
    kicker = serializers.CharField(allow_blank=True)
    headline = serializers.CharField()
    paragraphs = serializers.ListField(child=serializers.CharField())
    marked = serializers.CharField(allow_blank=True, help_text="The one sentence to mark; it is in a paragraph too.")
    button = serializers.CharField()
    other_ways = serializers.CharField()


class SuggestedAmount(serializers.Serializer[Any]):
    value = serializers.CharField(help_text="Major units, as the form at `links.form` takes it in `amount`.")
    text = serializers.CharField(help_text="The same, written for people.")
    is_chosen = serializers.BooleanField()


class SuggestedAmounts(serializers.Serializer[Any]):
    currency = serializers.CharField()
    frequency = serializers.CharField(help_text="Always `month`.")
    choices = SuggestedAmount(many=True)


class CampaignProgress(serializers.Serializer[Any]):
    sentence = serializers.CharField(help_text="Show this first; a bar only repeats it.")
    shows_bar = serializers.BooleanField()
    percent = serializers.IntegerField(allow_null=True, help_text="null while no bar is shown.")
    updated_at = serializers.DateTimeField(allow_null=True)


class AppealLinks(serializers.Serializer[Any]):
    support = serializers.URLField(help_text="A plain link, for pages that show nothing else of this answer.")
    form = serializers.URLField(help_text="GET frequency, amount, currency, campaign, appeal, article, lang.")
    other_ways = serializers.URLField()


class AppealAnswer(serializers.Serializer[Any]):
    campaign = serializers.CharField(
        allow_blank=True, help_text="The campaign shown; another than requested if that one has ended."
    )
    appeal = serializers.CharField(allow_blank=True)
    language = serializers.CharField()
    words = AppealText(allow_null=True)
    amounts = SuggestedAmounts(allow_null=True)
    progress = CampaignProgress(allow_null=True)
    links = AppealLinks()
    html = serializers.CharField(help_text="The block, ready to be put at the end of an article. No script, no style.")


class NoSuchAppeal(serializers.Serializer[Any]):
    detail = serializers.CharField()
    links = AppealLinks()


def links(block: Block) -> dict[str, str]:
    return {"support": block.support_url, "form": block.form_url, "other_ways": block.other_ways_url}


def answer(block: Block) -> dict[str, Any]:
    """Return the answer's body for a block: everything that another site needs to show the appeal."""
    facts = {
        "campaign": block.campaign,
        "appeal": block.appeal,
        "language": block.language,
        "words": _words(block),
        "amounts": _amounts(block),
        "progress": block.progress,
        "links": links(block),
        "html": render_to_string("appeals/block.html", {"ask": block}),
    }
    return dict(AppealAnswer(facts).data)


def _words(block: Block) -> dict[str, Any] | None:
    words = block.words
    if words is None:
        return None
    paragraphs = [f"{each.before}{each.marked}{each.after}" for each in block.paragraphs]
    marked = next((each.marked for each in block.paragraphs if each.marked), "")
    same = {name: getattr(words, name) for name in ("kicker", "headline", "button", "other_ways")}
    return {**same, "paragraphs": paragraphs, "marked": marked}


def _amounts(block: Block) -> dict[str, Any] | None:
    if block.amounts is None:
        return None
    return {"currency": block.amounts.currency, "frequency": "month", "choices": block.amounts.choices}

"""Campaigns and their appeals, with words in each language and suggested amounts. Payments/ writes the progress."""

from __future__ import annotations

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members import clock


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def running(self, today: date | None = None) -> CampaignQuerySet:
        """Return active campaigns whose dates include this day (today by default)."""
        today = today or clock.today()
        return self.filter(is_active=True, starts_on__lte=today).filter(Q(ends_on=None) | Q(ends_on__gte=today))


class Campaign(models.Model):
    """A fundraising campaign with dates and, perhaps, a goal.

    `goal`, `starting_value` and `progress` are people, gifts or minor units of `goal_currency`, depending on
    `goal_kind`. Only `appeals.campaigns.record_progress` writes `progress`.
    """

    class Goal(models.TextChoices):
        PATRONS = "patrons", _("new patrons")
        GIFTS = "gifts", _("gifts")
        MONEY = "money", _("money")

    slug = models.SlugField(_("name in addresses"), unique=True)
    title = models.CharField(_("title for staff"), max_length=120)
    is_active = models.BooleanField(_("active"), default=True)
    starts_on = models.DateField(_("from"), default=clock.today)
    ends_on = models.DateField(_("until"), null=True, blank=True)
    goal_kind = models.CharField(_("what is counted"), max_length=10, choices=Goal, default=Goal.PATRONS)
    goal = models.PositiveBigIntegerField(
        _("goal"), null=True, blank=True, help_text=_("A number of people or gifts, or money in minor units.")
    )
    goal_currency = models.CharField(_("currency of the goal"), max_length=3, blank=True)
    starting_value = models.PositiveBigIntegerField(_("already reached elsewhere"), default=0)
    show_from_percent = models.PositiveSmallIntegerField(
        _("show the bar from, %"), default=50, help_text=_("Below this share of the goal only the goal is said.")
    )
    progress = models.BigIntegerField(_("reached"), default=0, editable=False)
    progress_at = models.DateTimeField(_("counted at"), null=True, editable=False)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        permissions = [("publish_campaign", _("Publish campaigns and appeals"))]
        ordering = ["-starts_on", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(goal_kind="money") | Q(goal=None) | Q(goal_currency__regex="^[A-Z]{3}$"),
                name="campaign_money_goal_has_currency",
            ),
            models.CheckConstraint(condition=Q(goal=None) | Q(goal__gt=0), name="campaign_goal_above_zero"),
        ]

    def __str__(self) -> str:
        return self.title

    def runs_on(self, today: date) -> bool:
        return self.is_active and self.starts_on <= today and (self.ends_on is None or self.ends_on >= today)

    @property
    def percent(self) -> int:
        """The progress in percent of the goal, rounded down, from 0 to 100; 0 without a goal."""
        return min(100, max(0, self.progress * 100 // self.goal)) if self.goal else 0

    @property
    def shows_bar(self) -> bool:
        return bool(self.goal) and self.percent >= self.show_from_percent


class Appeal(models.Model):
    """An appeal within a campaign. Its words are rows of AppealWords, one per language."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="appeals", verbose_name=_("campaign"))
    slug = models.SlugField(_("name in addresses"), unique=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class AppealWords(models.Model):
    appeal = models.ForeignKey(Appeal, on_delete=models.CASCADE, related_name="words")
    language = models.CharField(_("language"), max_length=8)
    kicker = models.CharField(_("kicker"), max_length=60, blank=True)
    headline = models.CharField(_("headline"), max_length=70)
    body = models.TextField(_("paragraphs"), help_text=_("One to four, divided by an empty line; 90 words at most."))
    marked = models.CharField(_("the one marked sentence"), max_length=200, blank=True)
    button = models.CharField(_("button"), max_length=40)
    other_ways = models.CharField(_("second link"), max_length=40)
    goal_line = models.CharField(
        _("progress in words"),
        max_length=120,
        blank=True,
        help_text=_("With {reached} and {goal}, such as: {reached} of {goal} new patrons this autumn"),
    )

    class Meta:
        verbose_name = _("words of an appeal")
        verbose_name_plural = _("words of an appeal")
        constraints = [models.UniqueConstraint(fields=["appeal", "language"], name="appeal_words_once_a_language")]

    def __str__(self) -> str:
        return f"{self.appeal} ({self.language})"


class AppealAmounts(models.Model):
    """Two to four monthly amounts to choose from in one currency, in whole major units: 5, 10, 20, 50 euros.

    They are only suggestions: the page they link to checks the chosen amount like any text a reader types.
    """

    appeal = models.ForeignKey(Appeal, on_delete=models.CASCADE, related_name="amounts")
    currency = models.CharField(_("currency"), max_length=3)
    monthly = ArrayField(
        models.PositiveIntegerField(validators=[MinValueValidator(1)]),
        verbose_name=_("amounts a month"),
        help_text=_("Two to four whole amounts, ascending, such as: 5, 10, 20, 50"),
    )
    chosen = models.PositiveIntegerField(_("chosen at first"), help_text=_("One of the amounts."))

    class Meta:
        verbose_name = _("suggested amounts")
        verbose_name_plural = _("suggested amounts")
        ordering = ["currency"]
        constraints = [
            models.UniqueConstraint(fields=["appeal", "currency"], name="appeal_amounts_once_a_currency"),
            models.CheckConstraint(
                condition=Q(monthly__len__gte=2, monthly__len__lte=4), name="appeal_amounts_two_to_four"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appeal} ({self.currency})"

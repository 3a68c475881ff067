"""Levels and memberships. A membership has a level and dates; its state on any day follows from the dates alone."""

from __future__ import annotations

from datetime import date, timedelta

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members import clock
from members.models.people import Supporter


class Level(models.Model):
    """A level of membership that an amount earns; a higher rank is more (see members/belonging/levels.py)."""

    slug = models.SlugField(_("short name"), unique=True)
    rank = models.PositiveSmallIntegerField(_("rank"), unique=True, help_text=_("Higher is more."))
    grace_days = models.PositiveSmallIntegerField(
        _("days of grace"),
        default=14,
        validators=[MaxValueValidator(90)],
        help_text=_("How long access stays after a payment that did not come."),
    )
    stays_when_sent_back = models.BooleanField(
        _("access stays when the money goes back"),
        default=True,
        db_default=True,
        help_text=_(
            "Off: days paid for by a gift that was refunded in full, or that a bank took back, are taken away, and "
            "given again if the money returns."
        ),
    )

    class Meta:
        verbose_name = _("level")
        verbose_name_plural = _("levels")
        ordering = ["rank"]

    def __str__(self) -> str:
        return self.slug

    def name(self, language: str | None = None) -> str:
        """Return the level's name in this language (the current one by default), else in any, else its slug."""
        wanted = (language or get_language() or "")[:2]
        names = {row.language: row.name for row in self.names.all()}
        return names.get(wanted) or next(iter(names.values()), self.slug)


class LevelName(models.Model):
    level = models.ForeignKey(Level, on_delete=models.CASCADE, related_name="names")
    language = models.CharField(_("language"), max_length=8)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("name of a level")
        verbose_name_plural = _("names of a level")
        constraints = [models.UniqueConstraint(fields=["level", "language"], name="level_name_once_a_language")]

    def __str__(self) -> str:
        return self.name


class LevelAmount(models.Model):
    """The monthly amount that earns a level, in minor units of one currency. For yearly gifts a twelfth counts."""

    level = models.ForeignKey(Level, on_delete=models.CASCADE, related_name="amounts")
    currency = models.CharField(_("currency"), max_length=3)
    monthly_amount = models.PositiveBigIntegerField(_("monthly amount, minor units"))

    class Meta:
        verbose_name = _("amount that earns a level")
        verbose_name_plural = _("amounts that earn a level")
        constraints = [models.UniqueConstraint(fields=["level", "currency"], name="level_amount_once_a_currency")]

    def __str__(self) -> str:
        return f"{self.monthly_amount} {self.currency}"


class MembershipQuerySet(models.QuerySet["Membership"]):
    def running(self, today: date | None = None) -> MembershipQuerySet:
        """Return memberships that give access on this day (today by default): active or in grace."""
        today = today or clock.today()
        return self.filter(starts_on__lte=today, grace_through__gte=today).exclude(ended_on__lte=today)

    def active(self, today: date | None = None) -> MembershipQuerySet:
        """Return memberships that are paid on this day (today by default) and have not ended."""
        today = today or clock.today()
        return self.running(today).filter(paid_through__gte=today)

    def in_state(self, state: str, today: date | None = None) -> MembershipQuerySet:
        """Return memberships in this state on this day (today by default). Raises ValueError for an unknown state."""
        today = today or clock.today()
        found: dict[Membership.State, MembershipQuerySet] = {
            Membership.State.ACTIVE: self.active(today),
            Membership.State.GRACE: self.running(today).filter(paid_through__lt=today),
            Membership.State.ENDED: self.filter(ended_on__lte=today),
            Membership.State.LAPSED: self.filter(grace_through__lt=today).exclude(ended_on__lte=today),
        }
        return found[Membership.State(state)]


class Membership(models.Model):
    """Membership from one `source`, such as a subscription. A person may have several; the best one counts."""

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        GRACE = "grace", _("in grace")
        LAPSED = "lapsed", _("lapsed")
        ENDED = "ended", _("ended")

    supporter = models.ForeignKey(
        Supporter, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("supporter")
    )
    level = models.ForeignKey(Level, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("level"))
    source = models.CharField(_("source"), max_length=80, unique=True)
    starts_on = models.DateField(_("from"))
    paid_through = models.DateField(_("paid through"))
    grace_through = models.DateField(_("grace through"))
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(paid_through__gte=F("starts_on")), name="membership_starts_before_it_ends"
            ),
            models.CheckConstraint(
                condition=Q(grace_through__gte=F("paid_through")), name="membership_grace_after_paid"
            ),
        ]
        indexes = [models.Index(fields=["supporter", "grace_through"], name="membership_of_supporter")]

    def __str__(self) -> str:
        return f"{self.level} {self.starts_on}"

    def state_on(self, today: date) -> Membership.State:
        """Return the state on this day. Assumes that it is not before `starts_on`."""
        if self.ended_on and self.ended_on <= today:
            return self.State.ENDED
        if self.paid_through >= today:
            return self.State.ACTIVE
        return self.State.GRACE if self.grace_through >= today else self.State.LAPSED

    @property
    def state(self) -> Membership.State:
        return self.state_on(clock.today())

    def pay_through(self, day: date, level: Level) -> None:
        """Extend the paid days through this day, with this level's grace; do not save.

        The result does not depend on the order of payments: dates never move back, and the latest paid day decides
        the level (for the same day, the higher level). An end is moved behind the paid days.
        """
        if (day, level.rank) >= (self.paid_through, self.level.rank):
            self.level = level
        self.paid_through = max(self.paid_through, day)
        self.grace_through = max(self.grace_through, day + timedelta(days=level.grace_days))
        if self.ended_on:
            self.end_on(self.ended_on)

    def recalculate(self, kept: list[tuple[date, Level]], removed: list[tuple[date, Level]]) -> None:
        """Set dates and level from the kept payments only; do not save. Without any, only the first day stays paid.

        Each pair is the last day a payment paid for and the level it earned. No grace period follows if a removed
        payment was the latest. Raises ValueError if both lists are empty.
        """
        self.paid_through = self.grace_through = self.starts_on
        self.level = max(kept or removed, key=lambda each: (each[0], each[1].rank))[1]
        for day, level in kept:
            self.pay_through(day, level)
        if any(not kept or day > self.paid_through for day, _level in removed):
            self.grace_through = self.paid_through

    def end_on(self, day: date) -> None:
        """Set the first day without access to `day`, but not before the paid days are over; do not save.

        If the membership already has an end, the earlier one counts.
        """
        earliest = min(self.ended_on or day, day)
        self.ended_on = max(earliest, self.paid_through + timedelta(days=1))


def patrons(queryset: models.QuerySet[Supporter] | None = None) -> models.QuerySet[Supporter]:
    """Return the supporters (of `queryset`, by default all) with an active membership today."""
    base = Supporter.objects.all() if queryset is None else queryset
    return base.filter(Exists(Membership.objects.active().filter(supporter=OuterRef("pk"))))

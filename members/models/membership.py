"""Belonging: a level, from a date to a date. What a membership is on a given day follows from its dates alone."""

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
    """What an amount earns. The highest rank whose monthly amount is reached wins; without any, the lowest rank."""

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
    """From which monthly amount, in minor units of a currency, a level is earned. Yearly gifts count a twelfth."""

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
        """Active or in grace on the day: those who may use what they gave for."""
        today = today or clock.today()
        return self.filter(starts_on__lte=today, grace_through__gte=today).exclude(ended_on__lte=today)

    def active(self, today: date | None = None) -> MembershipQuerySet:
        today = today or clock.today()
        return self.running(today).filter(paid_through__gte=today)

    def in_state(self, state: str, today: date | None = None) -> MembershipQuerySet:
        today = today or clock.today()
        found: dict[Membership.State, MembershipQuerySet] = {
            Membership.State.ACTIVE: self.active(today),
            Membership.State.GRACE: self.running(today).filter(paid_through__lt=today),
            Membership.State.ENDED: self.filter(ended_on__lte=today),
            Membership.State.LAPSED: self.filter(grace_through__lt=today).exclude(ended_on__lte=today),
        }
        return found[Membership.State(state)]


class Membership(models.Model):
    """One reason to belong (`source`, such as a subscription). A person may have several: the best one counts."""

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
        if self.ended_on and self.ended_on <= today:
            return self.State.ENDED
        if self.paid_through >= today:
            return self.State.ACTIVE
        return self.State.GRACE if self.grace_through >= today else self.State.LAPSED

    @property
    def state(self) -> Membership.State:
        return self.state_on(clock.today())

    def pay_through(self, day: date, level: Level) -> None:
        """Paid until this day at least, at this level. In whatever order payments arrive, the outcome is the same:
        the latest paid day decides the level (of two for the same day the higher), and nothing is taken away.
        """
        if (day, level.rank) >= (self.paid_through, self.level.rank):
            self.level = level
        self.paid_through = max(self.paid_through, day)
        self.grace_through = max(self.grace_through, day + timedelta(days=level.grace_days))
        if self.ended_on:
            self.end_on(self.ended_on)

    def pay_anew(self, kept: list[tuple[date, Level]], gone: list[tuple[date, Level]]) -> None:
        """Paid through the days that are kept, each at its level, and no others; with none, only on the first day."""
        self.paid_through = self.grace_through = self.starts_on
        self.level = max(kept or gone, key=lambda each: (each[0], each[1].rank))[1]
        for day, level in kept:
            self.pay_through(day, level)
        if any(not kept or day > self.paid_through for day, _level in gone):
            self.grace_through = self.paid_through

    def end_on(self, day: date) -> None:
        """Ends this day, but not before what was paid for is over. Of two ends the earlier counts."""
        wanted = min(self.ended_on or day, day)
        self.ended_on = max(wanted, self.paid_through + timedelta(days=1))


def patrons(queryset: models.QuerySet[Supporter] | None = None) -> models.QuerySet[Supporter]:
    """Supporters with an active membership today."""
    base = Supporter.objects.all() if queryset is None else queryset
    return base.filter(Exists(Membership.objects.active().filter(supporter=OuterRef("pk"))))

"""Supporters, who are people or organisations known by their email address, and the timeline of what was done."""

from __future__ import annotations

import unicodedata
import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members import addresses, clock

# Letters and signs that show nothing: the fillers of Korean, and a braille pattern without dots.
_BLANK = "\u115f\u1160\u3164\uffa0\u2800"
# Inside words of Persian and Indian scripts these two are part of the spelling.
JOINERS = "\u200c\u200d"


def readable_name(text: str) -> str:
    """Return a name on one line without characters that nobody sees; "" if nothing is left that could be seen."""
    name = " ".join("".join(map(_as_seen, unicodedata.normalize("NFC", text))).split())
    return name if any(unicodedata.category(character)[0] not in "MZC" for character in name) else ""


def _as_seen(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _BLANK or kind in ("Cc", "Zl", "Zp", "Cs"):
        return " "
    return "" if kind == "Cf" and character not in JOINERS else character


class SupporterQuerySet(models.QuerySet["Supporter"]):
    def with_email(self, email: str) -> SupporterQuerySet:
        """Return the supporters with this address, however it is capitalised and its domain spelled: one or none."""
        email = addresses.normal(email)
        if not addresses.is_plain(email):
            return self.none()
        return self.annotate(email_key=Lower("email")).filter(email_key=email.lower())


class Supporter(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("email"), max_length=254)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=8, default="en")
    is_discreet = models.BooleanField(
        _("discreet letters"),
        default=False,
        db_default=False,
        help_text=_("A neutral subject and sender, and no name of ours on top."),
    )
    is_at_risk = models.BooleanField(
        _("at risk"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("Only colleagues with the right to it see this person."),
    )
    created_at = models.DateTimeField(_("known since"), default=clock.now)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    objects = SupporterQuerySet.as_manager()

    class Meta:
        verbose_name = _("supporter")
        verbose_name_plural = _("supporters")
        ordering = ["-created_at", "-pk"]
        permissions = [
            ("see_at_risk", _("See people who are at risk")),
            ("mark_at_risk", _("Mark people as at risk")),
        ]
        constraints = [models.UniqueConstraint(Lower("email"), name="supporter_email_once")]
        indexes = [
            models.Index(fields=["-created_at"], name="supporter_newest"),
            models.Index(fields=["id"], name="supporter_at_risk", condition=models.Q(is_at_risk=True)),
            # icontains compiles to UPPER(column::text) LIKE: these serve the admin's search, Cyrillic too.
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="supporter_name_words"),
            GinIndex(OpClass(Upper("email"), name="gin_trgm_ops"), name="supporter_email_words"),
        ]

    def __str__(self) -> str:
        # Names are personal data: page titles, logs and history show a number instead.
        return f"#{self.pk}"

    @property
    def first_name(self) -> str:
        return readable_name(self.name).partition(" ")[0]


class TimelineEntry(models.Model):
    """An action by staff or by the software that concerns a supporter. Rows are only added.

    `action` has the form `noun.verbed`; `actor` is empty for the software; `details` is plain JSON.
    """

    supporter = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="timeline")
    action = models.CharField(_("action"), max_length=60)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
    details = models.JSONField(_("details"), default=dict, blank=True)
    happened_at = models.DateTimeField(_("when"), default=clock.now)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline")
        ordering = ["-happened_at", "-pk"]
        indexes = [models.Index(fields=["supporter", "-happened_at"], name="timeline_of_supporter")]

    def __str__(self) -> str:
        return f"{self.action} {self.happened_at:%Y-%m-%d}"

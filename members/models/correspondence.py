"""Emails to people, their delivery reports, the choices people made about them, and addresses that get none.

A message row is written in the transaction of its cause (members/mail/outbox.py), and rendered and sent after the
commit (members/mail/sending.py).
"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members import clock
from members.mail.kinds import Stream
from members.models.people import Supporter

# Literal SQL instead of parameters: with parameters, a prepared plan could not use the partial index `message_due`.
_UNSENT = RawSQL("members_message.state IN ('pending', 'sending')", [], output_field=models.BooleanField())


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, at: datetime | None = None) -> MessageQuerySet:
        """Return messages to be sent now: pending and due, or abandoned by a sender whose lease has expired.

        `at` is real time, not the business clock, because this is a queue.
        """
        at = at or timezone.now()
        waiting = Q(state=Message.State.PENDING, next_try_at__lte=at)
        return self.filter(_UNSENT, waiting | Q(state=Message.State.SENDING, lease_until__lt=at))


class Message(models.Model):
    """An email to one person. `key` is unique, so the same email is never queued twice.

    `context` holds the facts as they were when it was queued; subject and bodies are stored when it is sent.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("unknown")
        CANCELED = "canceled", _("canceled")

    class Delivery(models.TextChoices):
        """The provider's latest report about the delivery; empty if there is none."""

        UNTOLD = "", _("not told")
        DELIVERED = "delivered", _("delivered")
        DELAYED = "delayed", _("could not be delivered for now")
        BOUNCED = "bounced", _("came back")
        COMPLAINED = "complained", _("marked as spam")

    class Withheld(models.TextChoices):
        """The reason why an email was canceled by the last check before it was sent; staff read the label."""

        SUPPRESSED = "suppressed", _("Nothing is sent to this address: mail to it came back, or was called spam.")
        UNWANTED = "unwanted", _("The supporter does not want letters of this kind.")
        ERASED = "erased", _("The supporter was erased.")

    kind = models.CharField(_("kind"), max_length=60)
    key = models.CharField(_("key"), max_length=200, unique=True)
    supporter = models.ForeignKey(Supporter, null=True, blank=True, on_delete=models.PROTECT, related_name="messages")
    to_email = models.EmailField(_("to"), max_length=254)
    language = models.CharField(_("language"), max_length=8)
    context = models.JSONField(_("facts"), default=dict)
    stream = models.CharField(
        _("stream"), max_length=12, choices=Stream, default=Stream.SERVICE, db_default=Stream.SERVICE
    )
    is_urgent = models.BooleanField(_("somebody waits for it"), default=False, db_default=False)
    expires_at = models.DateTimeField(_("of no use after"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    unanswered = models.PositiveSmallIntegerField(
        _("handed over without an answer"),
        default=0,
        editable=False,
        help_text=_("How often the mail server got the whole message and never said what it did with it."),
    )
    error = models.TextField(_("error"), blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    body_text = models.TextField(blank=True)
    body_html = models.TextField(blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    provider_id = models.CharField(max_length=255, blank=True, editable=False, default="", db_default="")
    delivery = models.CharField(
        _("delivery"), max_length=10, choices=Delivery, blank=True, default=Delivery.UNTOLD, db_default=Delivery.UNTOLD
    )
    delivery_at = models.DateTimeField(_("told by the provider"), null=True, blank=True)
    withheld = models.CharField(
        _("withheld"), max_length=10, choices=Withheld, blank=True, editable=False, default="", db_default=""
    )
    withheld_at = models.DateTimeField(_("withheld at"), null=True, blank=True, editable=False)
    trimmed_at = models.DateTimeField(_("words removed"), null=True, blank=True, editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        permissions = [("view_letters", _("See samples of the emails that are sent"))]
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(
                fields=["stream", "-is_urgent", "next_try_at", "id"],
                name="message_due",
                condition=Q(state__in=["pending", "sending"]),
            ),
            models.Index(fields=["provider_id"], name="message_at_provider", condition=~Q(provider_id="")),
            models.Index(fields=["supporter", "-created_at"], name="message_of_supporter"),
            models.Index(fields=["-created_at"], name="message_newest"),
            models.Index(fields=["withheld_at"], name="message_withheld", condition=Q(withheld="suppressed")),
            models.Index(fields=["delivery_at"], name="message_delivery", condition=~Q(delivery="")),
            models.Index(fields=["state"], name="message_in_trouble", condition=Q(state__in=["failed", "unknown"])),
        ]

    def __str__(self) -> str:
        return self.key


class MailChoice(models.Model):
    """A supporter's choice about one optional kind of email. Without a row, the default in mail/kinds.py counts."""

    supporter = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="mail_choices")
    kind = models.CharField(_("kind"), max_length=60)
    is_wanted = models.BooleanField(_("wanted"))
    chosen_at = models.DateTimeField(_("chosen"), default=clock.now)

    class Meta:
        verbose_name = _("choice about letters")
        verbose_name_plural = _("choices about letters")
        constraints = [models.UniqueConstraint(fields=["supporter", "kind"], name="one_choice_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {'+' if self.is_wanted else '-'}"


class Suppression(models.Model):
    """An address to which nothing is sent, until `lifted_at` is set. At most one per address is active."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", _("mail to it came back")
        SOFT_BOUNCED = "soft", _("mail to it could not be delivered again and again")
        COMPLAINED = "complained", _("its reader marked a letter as spam")
        STAFF = "staff", _("staff decided so")

    email = models.EmailField(_("email"), max_length=254)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    since = models.DateTimeField(_("since"), default=clock.now)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    class Meta:
        verbose_name = _("address that gets nothing")
        verbose_name_plural = _("addresses that get nothing")
        ordering = ["-since", "-pk"]
        constraints = [
            models.UniqueConstraint(Lower("email"), condition=Q(lifted_at=None), name="one_suppression_an_address")
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class DeliveryReport(models.Model):
    """A mail provider's report about a message, stored once by `report_id`. Rows are only added."""

    report_id = models.CharField(max_length=255, unique=True)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="reports")
    what = models.CharField(_("what"), max_length=10, choices=Message.Delivery)
    words = models.CharField(_("in the provider’s words"), max_length=500, blank=True)
    happened_at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("report about a message")
        verbose_name_plural = _("reports about messages")
        ordering = ["-happened_at", "-pk"]
        indexes = [
            models.Index(fields=["happened_at"], name="report_of_trouble", condition=Q(what__in=["delayed", "bounced"]))
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.happened_at:%Y-%m-%d}"

"""The act on a subscription: stop it. The rule is payments/recurring/changes.py."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.acts.act import Act, with_stripe_code
from payments.desk.acts.no_letter import why_no_letter
from payments.desk.patron_status import promise
from payments.errors import AlreadyStopped, StripeRefused, StripeUnavailable
from payments.models import Subscription
from payments.recurring import change_params, changes


class StopForm(forms.Form):
    words = forms.CharField(
        label=gettext_lazy("Why, in their words"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept with the subscription. The supporter may ask to see it."),
    )


class StopSubscription(Act):
    slug = "stop"
    label = gettext_lazy("Stop this subscription")
    form_class = StopForm
    is_grave = True
    problems = (StripeUnavailable, StripeRefused, AlreadyStopped)

    def is_open(self, row: Subscription) -> bool:
        return row.is_alive and not row.is_stopping

    def question(self, row: Subscription) -> str:
        return _("Stop %(promise)s?") % {"promise": promise(row)}

    def consequences(self, row: Subscription) -> list[object]:
        until = {"day": columns.moment(row.current_period_end)}
        keeps = _("What is paid stays paid: it runs until %(day)s and then ends.") % until
        if row.status not in change_params.STOPS_AT_PERIOD_END:
            keeps = _("It ends at once, because its last payment did not come.")
        email = why_no_letter(row.supporter.email) or _("They get one email that says so.")
        return [_("Stripe takes no further payment."), keeps, email, _("Nothing is refunded.")]

    def perform(self, row: Subscription, answers: dict[str, Any], actor: User) -> str:
        changes.request_stop(row, surface="staff", words=answers["words"], actor=actor)
        return _("Stripe was asked to stop it. The page shows it as soon as Stripe confirms.")

    def explain(self, problem: Exception) -> str:
        if isinstance(problem, AlreadyStopped):
            return _("It is stopped already. There is nothing left to do.")
        if isinstance(problem, StripeRefused):
            words = _("Stripe refused. Look at the subscription at Stripe; nothing changed here.")
            return with_stripe_code(words, problem)
        return _("Stripe does not answer now. Nothing is lost: the wish is written down. Please try again in a minute.")

"""The act on a suppressed address: send emails to it again."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members import suppressions
from members.models import Suppression
from payments.desk.acts.act import Act


class LiftSuppression(Act):
    slug = "lift"
    label = gettext_lazy("Send letters there again")

    def is_open(self, row: Suppression) -> bool:
        return row.lifted_at is None

    def question(self, row: Suppression) -> str:
        return _("Send letters to this address again?")

    def consequences(self, row: Suppression) -> list[object]:
        first = _("Later letters go to %(address)s again.") % {"address": row.email}
        second = _("What was not sent meanwhile stays unsent: send again from the supporter's page what still matters.")
        if row.reason == Suppression.Reason.COMPLAINED:
            return [first, second, _("Its reader called a letter spam: do this only when they have asked for it.")]
        return [first, second, _("If mail to it comes back once more, it gets nothing again.")]

    def perform(self, row: Suppression, answers: dict[str, object], actor: User) -> str:
        suppressions.lift(row, actor)
        return _("Letters go there again from now on.")

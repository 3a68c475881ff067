"""The samples of emails to staff: new patrons, large gifts, alerts. Part of catalogue.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from members import clock
from members.models import Message
from payments.alerts import letters as alert_letters
from payments.alerts.rules import BY_NAME
from payments.desk.samples.rows import Giver, given_once, subscription
from payments.desk.samples.sample import Sample, Variant, always
from payments.letters import staff as staff_letters
from payments.models import Alert, Subscription


def _alert(who: Giver) -> Message:
    moment = clock.now() - timedelta(minutes=12)
    alert = Alert(name="events-waiting", since=moment, told_at=moment, facts={"count": 3, "minutes": 12})
    return alert_letters.draft(BY_NAME["events-waiting"], alert, who.supporter.email, language=who.language)


def _to_staff(who: Giver, kind: str, facts: dict[str, Any]) -> Message:
    return staff_letters.drafts(kind, "sample", facts, [who.supporter.email], who.language)[0]


def _new_patrons(who: Giver, *rows: Subscription) -> Message:
    return _to_staff(who, staff_letters.NEW_PATRONS, staff_letters.new_patron_facts(list(rows)))


def _large(who: Giver) -> Message:
    return _to_staff(who, staff_letters.LARGE_GIFT, staff_letters.large_gift_facts(given_once(who)))


STAFF: dict[str, Sample] = {
    "staff_new_patron": Sample(
        _("Once an hour, when there are new patrons, to STAFF_GIFT_EMAILS."),
        {
            "one": Variant(_("One"), lambda who: _new_patrons(who, subscription(who))),
            "several": Variant(
                _("Several"), lambda who: _new_patrons(who, subscription(who), subscription(who, "year"))
            ),
        },
    ),
    "staff_large_gift": always(_("At once, when a large gift has arrived, to STAFF_GIFT_EMAILS."), _large),
    "staff_alert": always(_("When an alarm rings, and again every six hours until it is over."), _alert),
}

"""Tags shared by the templates of emails: {% gift amount currency frequency %}, {% facts as rows %}, {{ name|called }}.

The rows of facts are made once here and laid out in HTML and in text, so that both have the same facts in one order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.template import Context
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from members.vocative import vocative
from payments import money as sums
from payments import rhythms
from payments.models import is_debit
from payments.templatetags.money import day

register = template.Library()


@dataclass(frozen=True)
class Row:
    """A row of the table of facts in an email. `look` is a style: "figure", "code" or ""."""

    label: str
    value: str
    look: str = ""


@register.simple_tag
def gift(amount: int, currency: str, frequency: str) -> str:
    """Return an amount, in minor units, and its rhythm in words: €10.00 every month, €30.00 every 3 months."""
    return rhythms.gift(amount, currency, frequency)


@register.filter
def called(name: str) -> str:
    """Return the name in the form for addressing someone in the active language: Олено for Олена in Ukrainian."""
    return vocative(name, get_language() or "en")


@register.filter
def account(method: str) -> str:
    """Return the last digits of a bank account that is debited, from its words ("SEPA 3000"); "" for other methods."""
    return method.rsplit(" ", 1)[-1] if is_debit(method) and method[-1:].isdigit() else ""


@register.simple_tag(takes_context=True)
def facts(context: Context) -> list[Row]:
    """Return the rows for the facts that this email has, in the same order for every email."""
    about: dict[Any, Any] = context.flatten()
    if about.get("lacks_method"):  # no payment is taken on that day
        about.pop("renews_on", None)
    rows = [Row(_("Your gift"), gift(about["amount"], about["currency"], about["frequency"]), "figure")]
    rows += _sums_with_days(about)
    rows += [Row(label, _joined(day(about.get(key)), more)) for key, label, more in _days(about) if about.get(key)]
    if about.get("back_amount"):
        rows.insert(0, Row(_("Goes back"), sums.format(about["back_amount"], about["currency"]), "figure"))
    if about.get("level"):
        rows.insert(1, Row(_("Level"), str(about["level"])))
    if about.get("reference"):
        rows.append(Row(_("Reference"), str(about["reference"]), "code"))
    return rows


def _sums_with_days(about: dict[Any, Any]) -> list[Row]:
    """Return the rows for what is overdue, and for each bill that Stripe takes within the hour."""
    rows = []
    if about.get("overdue"):
        words = {"amount": sums.format(about["overdue"], about["currency"]), "day": day(about["overdue_since"])}
        rows.append(Row(pgettext("payment", "Overdue"), _("%(amount)s since %(day)s") % words))
    for bill in about.get("due") or []:
        words = {"amount": sums.format(bill["amount"], bill["currency"]), "day": day(bill["taken_on"])}
        rows.append(Row(pgettext("a payment", "Under way"), _("%(amount)s on %(day)s") % words))
    return rows


def _days(about: dict[Any, Any]) -> list[tuple[str, str, str]]:
    """Return key, label and addition of every date that an email can have. The addition is the payment method or ""."""
    method = str(about.get("method") or "").replace(" ", "\xa0")  # a card and its digits stay on one line
    return [
        ("paid_on", _("Paid"), method),
        ("sent_on", _("With your bank"), method),
        ("failed_on", _("Tried"), method),
        ("next_try_on", _("Next try"), ""),
        ("renews_on", _("Next payment"), _next_payment(about, method)),
        ("ends_on", _("Ends"), ""),
        ("expires_on", _("Valid until"), ""),
        ("patron_until_on", _("Patron until"), ""),
        ("ended_on", _("Ended"), ""),
        ("back_on", _("Sent back"), ""),
    ]


def _next_payment(about: dict[Any, Any], method: str) -> str:
    """Return the addition to the day of the next payment: its sum, if it is another one than now, else the method."""
    gives = about.get("gives") or {}
    if gives.get("amount"):
        return sums.format(gives["amount"], about["currency"])
    return "" if about.get("paid_on") or about.get("sent_on") else method


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)

"""The attributes that tell machines about a gift, `<section {% gift_data account %}>`: payments/accounts/account.py."""

from __future__ import annotations

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from payments.accounts.account import Account

register = template.Library()


@register.simple_tag
def gift_data(account: Account | None) -> SafeString:
    """Return the attributes `data-gift`, `data-state` and so on of an account: sums in minor units, days as ISO 8601.

    Those that do not apply are left out; without an account all of them.
    """
    if account is None:
        return SafeString("")
    always = {
        "gift": account.subscription.public_id,
        "state": account.state,
        "amount": account.amount,
        "currency": account.currency,
        "frequency": account.frequency,
    }
    where_they_apply = {
        "next-on": account.next_on,
        "overdue": account.overdue_amount,
        "with-bank": account.with_bank_amount,
        "due": account.due_amount,
        "due-on": account.due_on,
        "ends-on": account.ends_on,
        "resumes-on": account.resumes_on,
    }
    shown = always | {name: value for name, value in where_they_apply.items() if value}
    return format_html_join(" ", 'data-{}="{}"', shown.items())

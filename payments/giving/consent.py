"""The words that a reader agrees to by pressing the button: shown by the page, then stored with the checkout."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from members import clock
from payments import money
from payments.giving.choices import Choice
from payments.models import Frequency


def promise(choice: Choice) -> str:
    """Return the button's words: the amount and how often, such as "Give €10 every month"."""
    words = {
        Frequency.MONTH.value: _("Give %(amount)s every month"),
        Frequency.YEAR.value: _("Give %(amount)s every year"),
        Frequency.ONCE.value: _("Give %(amount)s once"),
    }
    return words[choice.frequency] % {"amount": money.format(choice.amount, choice.currency, short=True)}


def html(request: HttpRequest, choice: Choice) -> str:
    """Return the sentences under the button as HTML, with their links."""
    today = clock.today()
    context = {"choice": choice, "today": today, "next_on": choice.next_on(today)}
    return render_to_string("give/consent.html", context, request)


def words(request: HttpRequest, choice: Choice) -> str:
    """Return the button and the sentences as the page shows them, without markup, for storing."""
    return " ".join(f"{promise(choice)}. {strip_tags(html(request, choice))}".split())

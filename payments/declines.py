"""Why a payment did not go through, in plain words for staff. Stripe's code stays beside them; readers never see it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

WORDS = {
    "authentication_required": _("the bank wants the supporter to confirm it"),
    "card_declined": _("the bank said no and gave no reason"),
    "card_not_supported": _("this card cannot be used for such payments"),
    "currency_not_supported": _("the card does not take this currency"),
    "debit_not_authorized": _("the account's holder told the bank to refuse it"),
    "do_not_honor": _("the bank said no and gave no reason"),
    "expired_card": _("the card has expired"),
    "fraudulent": _("Stripe or the bank suspects fraud"),
    "generic_decline": _("the bank said no and gave no reason"),
    "incorrect_cvc": _("the security code was wrong"),
    "insufficient_funds": _("not enough money on the account"),
    "lost_card": _("the card was reported lost"),
    "pickup_card": _("the bank has withdrawn the card"),
    "processing_error": _("a fault at the bank or at Stripe; a later try may work"),
    "stolen_card": _("the card was reported stolen"),
    "try_again_later": _("the bank asks to try again later"),
}


def in_words(code: str) -> str:
    """The reason in the staff's language, with Stripe's code; the code alone when it is none we know."""
    words = WORDS.get(code)
    return f"{words} ({code})" if words else code

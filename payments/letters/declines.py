"""Words for the reason why a payment failed. Staff also see Stripe's code; readers never do."""

from __future__ import annotations

from django.utils.translation import gettext
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
    """Return why a payment failed in the staff's language, with Stripe's code in brackets; an unknown code as it is."""
    words = WORDS.get(code)
    return f"{words} ({code})" if words else code


def for_reader(code: str) -> str:
    """Return a sentence for the reader: the reason, if it helps and is not sensitive, else that the bank gave none."""
    unconfirmed = gettext("The bank wanted you to confirm the payment, and that did not happen.")
    sentences = {
        "expired_card": gettext("The card has expired."),
        "insufficient_funds": gettext("The bank says there was not enough money on the account."),
        "incorrect_cvc": gettext("The three digits on the back of the card did not match."),
        "incorrect_number": gettext("The card number did not match."),
        "authentication_required": unconfirmed,
        "payment_intent_authentication_failure": unconfirmed,
        "processing_error": gettext("Something went wrong on the way to the bank."),
        "invoice_payment_intent_requires_action": unconfirmed,
        "debit_not_authorized": gettext("The bank did not accept the debit."),
    }
    return sentences.get(code, gettext("The bank did not say why."))

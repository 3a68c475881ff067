"""What can go wrong with money, named after what went wrong. Doors turn these into words."""

from __future__ import annotations


class StripeUnavailable(Exception):
    """Stripe did not answer, or asked us to slow down. Nothing is known to have happened; try again later."""


class KeySpent(StripeUnavailable):
    """Stripe only repeats the error that it keeps for this idempotency key. What was done must be looked up."""


class StripeRefused(Exception):
    """Stripe understood and said no. Trying the same again will not help."""


class OnlyStopped(StripeRefused):
    """Stripe refused to send money back; the stop of the regular gift, wanted in the same act, was asked for."""


class Declined(StripeRefused):
    """The bank said no to a payment, or wants it confirmed first: `code` is Stripe's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StripeMissing(StripeRefused):
    """Stripe knows no such object."""


class NotOurs(Exception):
    """An object on the Stripe account that this software did not make. It has no effect here."""


class NotYet(Exception):
    """Something this event builds on has not arrived. The event is parked and tried again."""


class CheckoutLost(NotYet):
    """Stripe's metadata names a checkout of ours that our books lack, as after a backup was restored."""


class AlreadyStopped(Exception):
    """The subscription has ended or is ending already."""


class NothingToChange(Exception):
    """The subscription is as is wanted already, or can no longer become so."""


class AlreadyClosed(Exception):
    """Somebody settled this case before."""


class NothingToRefund(Exception):
    """The payment has not come, or nothing of it is left with us."""


class RefundOutOfRange(Exception):
    """The amount is not between one and what is left of the payment: `left`, minor units of its currency."""

    def __init__(self, left: int) -> None:
        super().__init__(left)
        self.left = left


class OtherThanShown(Exception):
    """What a person saw before they said yes is not so any more. Nothing was done."""


class RefundUnderWay(Exception):
    """Stripe has not answered an earlier request for a refund of this payment. Another one waits for that."""


class SiteNotSafe(Exception):
    """Live payments need an https address: Stripe delivers live events to nothing else."""

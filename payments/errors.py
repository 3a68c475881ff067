"""Errors about money, named after what went wrong. Views, admin and commands turn them into words for people."""

from __future__ import annotations

# Start of the error stored on an event or a request that waits for a key of ours that Stripe accepts.
KEY_REFUSED = "Stripe refused our key: "
# Start of the error stored on a request that waits because its idempotency key was sent with other parameters before.
KEY_REUSED = "Stripe knows this key with other parameters: "


class StripeUnavailable(Exception):
    """Stripe did not answer, or asked us to slow down. Whether it did anything is unknown; try again later."""


class TooManyRequests(StripeUnavailable):
    """Stripe asks us to slow down (429). It did nothing."""


class KeySpent(StripeUnavailable):
    """Stripe repeats the error stored for this idempotency key. Look up at Stripe whether the request took effect."""


class KeyRefused(StripeUnavailable):
    """Stripe refuses our key: wrong, expired, or without a permission. It says nothing about what was asked.

    Everything waits and is retried, and goes on by itself once the key is right. The text names the permission if
    Stripe does: https://docs.stripe.com/error-low-level (401, 403).
    """


class KeyReused(StripeUnavailable):
    """Stripe knows this idempotency key with other parameters. That is a fault of ours and says nothing of the request.

    The request waits until Stripe has forgotten the key; then its result is looked up before it is sent again.
    """


class StripeRefused(Exception):
    """Stripe understood the request and refused it. Repeating the same request will not help.

    `code` is Stripe's error code and `param` the parameter that it names, or "": https://docs.stripe.com/error-codes.
    """

    def __init__(self, code: str = "", param: str = "") -> None:
        super().__init__(f"{code}: {param}" if param else code)
        self.code = code
        self.param = param


class OnlyStopped(StripeRefused):
    """Stripe refused a refund, but the stop of the recurring gift that was requested with it was sent."""


class Declined(StripeRefused):
    """The bank declined a payment, or wants it confirmed first. `code` is Stripe's decline or error code."""


class StripeMissing(StripeRefused):
    """Stripe has no object with this id."""


class NotOurs(Exception):
    """The Stripe object was not created by this installation. It has no effect here."""


class NotYet(Exception):
    """The event builds on something that has not arrived yet. It waits for that and is retried."""


class CheckoutLost(NotYet):
    """Stripe's metadata names a checkout that is missing from our database, for instance after restoring a backup."""


class AlreadyStopped(Exception):
    """The subscription has already ended or is set to end."""


class NothingToChange(Exception):
    """The subscription already is as requested, or can no longer be changed that way."""


class AlreadyClosed(Exception):
    """The case or difference was closed before."""


class NothingToRefund(Exception):
    """The payment was not received, or all of it was already refunded or taken back by a bank."""


class RefundOutOfRange(Exception):
    """The amount to refund is not between 1 and `left`, the rest of the payment in minor units of its currency."""

    def __init__(self, left: int) -> None:
        super().__init__(left)
        self.left = left


class OtherThanShown(Exception):
    """The facts a person confirmed have changed since they were shown. Nothing was done."""


class RefundUnderWay(Exception):
    """Stripe has not answered an earlier refund request for this payment; no other can be made until it has."""


class AboveLimit(Exception):
    """The refund is above what this user may send back alone."""


class OwnRefund(Exception):
    """The one who asked for a refund cannot be the second colleague who confirms it."""


class SiteNotSafe(Exception):
    """SITE_URL is not https although the key is a live one: Stripe delivers live events to https addresses only."""


class NobodyKnown(Exception):
    """Nothing is kept about a person with this address or public id."""


class SamePerson(Exception):
    """Whoever asked for something that needs a second person cannot confirm it."""


class NotOpen(Exception):
    """The erasure was carried out or called off before."""

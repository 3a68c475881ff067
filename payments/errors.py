"""What can go wrong with money, named after what went wrong. Doors turn these into words."""

from __future__ import annotations


class StripeUnavailable(Exception):
    """Stripe did not answer, or asked us to slow down. Nothing is known to have happened; try again later."""


class StripeRefused(Exception):
    """Stripe understood and said no. Trying the same again will not help."""


class StripeMissing(StripeRefused):
    """Stripe knows no such object."""


class NotOurs(Exception):
    """An object on the Stripe account that this software did not make. It has no effect here."""


class NotYet(Exception):
    """Something this event builds on has not arrived. The event is parked and tried again."""


class AlreadyStopped(Exception):
    """The subscription has ended or is ending already."""


class AlreadySettled(Exception):
    """Somebody settled this case before."""

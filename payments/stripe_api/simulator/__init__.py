"""A stand-in for Stripe, for development and tests: the real SDK speaks HTTP to it, it posts signed webhooks back."""

from .cards import ACCOUNTS, CARDS
from .chaos import Chaos
from .server import Running, serve
from .simulator import KEY_PREFIX, Simulator

__all__ = ["ACCOUNTS", "CARDS", "KEY_PREFIX", "Chaos", "Running", "Simulator", "serve"]

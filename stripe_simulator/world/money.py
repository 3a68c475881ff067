"""Stripe's arithmetic: exponents, smallest and largest amounts, exchange into the settlement currency, fees.

Amounts are integers in minor units, next to their currency in lower case. The exchange rates are fixed and invented.
The table is the simulator's own on purpose: it would prove nothing if it shared the project's code.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from stripe_simulator.world.errors import invalid, not_simulated

ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
WHOLE_UNITS_ONLY = frozenset({"isk", "ugx"})
LARGEST = 99_999_999
SMALLEST_SETTLED = 50
FEE_SHARE = Decimal("0.014")
FEE_FIXED = 25
DISPUTE_FEE = 1500

EUR_FOR_ONE = {
    code: Decimal(rate)
    for code, rate in {
        "eur": "1",
        "usd": "0.92",
        "gbp": "1.17",
        "uah": "0.022",
        "pln": "0.235",
        "czk": "0.0401",
        "chf": "1.06",
        "sek": "0.089",
        "nok": "0.086",
        "dkk": "0.134",
        "cad": "0.66",
        "aud": "0.6",
        "nzd": "0.55",
        "huf": "0.0025",
        "ron": "0.2",
        "bgn": "0.51",
        "isk": "0.0068",
        "ils": "0.25",
        "try": "0.022",
        "gel": "0.33",
        "mdl": "0.051",
        "rsd": "0.0085",
        "all": "0.01",
        "amd": "0.0024",
        "kzt": "0.0018",
        "brl": "0.16",
        "mxn": "0.048",
        "inr": "0.0105",
        "cny": "0.128",
        "hkd": "0.118",
        "sgd": "0.69",
        "zar": "0.051",
        "aed": "0.25",
        "sar": "0.245",
        "thb": "0.026",
        "ugx": "0.00025",
        "jpy": "0.0061",
        "krw": "0.00066",
        "vnd": "0.000036",
        "clp": "0.00096",
        "xaf": "0.00152",
        "xof": "0.00152",
        "xpf": "0.00838",
        "bif": "0.00031",
        "djf": "0.0052",
        "gnf": "0.000107",
        "kmf": "0.00203",
        "mga": "0.0002",
        "pyg": "0.000125",
        "rwf": "0.00065",
        "vuv": "0.0077",
        "bhd": "2.44",
        "jod": "1.3",
        "kwd": "3.0",
        "omr": "2.39",
        "tnd": "0.3",
    }.items()
}


@dataclass(frozen=True)
class Settled:
    """An amount in the currency of the balance, and the exchange rate applied; None without an exchange."""

    amount: int
    currency: str
    rate: float | None


def exponent(currency: str) -> int:
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def half_up(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def rate_between(currency: str, settlement: str) -> Decimal:
    """Return the minor units of the settlement currency for one minor unit of `currency`.

    Raises StripeRefusal for a currency without a rate.
    """
    if currency not in EUR_FOR_ONE or settlement not in EUR_FOR_ONE:
        raise not_simulated(f"the currency {currency}", "currency")
    ratio = EUR_FOR_ONE[currency] / EUR_FOR_ONE[settlement]
    return (ratio.scaleb(exponent(settlement) - exponent(currency))).quantize(Decimal("0.00000001")).normalize()


def settle(amount: int, currency: str, settlement: str | None) -> Settled:
    """Return the amount that reaches the balance; with `settlement` None, in the currency in which it was paid."""
    if settlement is None or settlement == currency:
        return Settled(amount, currency, None)
    rate = rate_between(currency, settlement)
    return Settled(half_up(amount * rate), settlement, float(rate))


def fee_for(settled: Settled) -> int:
    """Return Stripe's fee for a charge, in minor units of the settled currency."""
    fixed = 0 if settled.currency in ZERO_DECIMAL else FEE_FIXED
    return half_up(settled.amount * FEE_SHARE) + fixed


def check_amount(amount: int, currency: str, param: str) -> None:
    """Raise the StripeRefusal for an amount that Stripe does not accept: unknown currency, size, rounding rules."""
    rate = rate_between(currency, "eur")
    if amount < 0:
        raise invalid("This value must be greater than or equal to 0.", param, "parameter_invalid_integer")
    if amount > LARGEST:
        raise invalid(f"Amount must be no more than {LARGEST} minor units.", param, "amount_too_large")
    if currency in THREE_DECIMAL and amount % 10:
        raise invalid(f"Amounts in {currency} must end in 0.", param, "invalid_amount")
    if currency in WHOLE_UNITS_ONLY and amount % 100:
        raise invalid(f"Amounts in {currency} must be a multiple of 100.", param, "invalid_amount")
    if amount and amount * rate < SMALLEST_SETTLED:
        raise invalid("The amount must convert to at least 50 cents.", param, "amount_too_small")


def display(amount: int, currency: str) -> str:
    digits = exponent(currency)
    return f"{Decimal(amount).scaleb(-digits):,.{digits}f} {currency.upper()}"

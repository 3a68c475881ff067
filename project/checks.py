"""System checks: with a wrong configuration nothing starts, and each error has a hint. Registered by ProjectConfig."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.mail import get_connection
from stdnum import iban

from payments import currencies
from payments.giving import stripe_pages

SHORTEST_KEY, FEWEST_CHARACTERS = 32, 5


@register()
def currencies_are_known(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    unknown = [code for code in settings.CURRENCIES if code not in currencies.TABLE]
    if not unknown and settings.CURRENCIES:
        return []
    return [
        Error(
            f"CURRENCIES names {', '.join(unknown) or 'nothing'}.",
            hint=f"Known are {' '.join(sorted(currencies.TABLE))}. The first one is the default.",
            id="hromada.E001",
        )
    ]


@register()
def iban_is_valid(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.BANK_IBAN or iban.is_valid(settings.BANK_IBAN):
        return []
    return [
        Error(
            "BANK_IBAN is not a valid account number.",
            hint="Copy it from the bank's own papers; readers will send money there. Leave it empty to show none.",
            id="hromada.E002",
        )
    ]


@register()
def stripes_pages_have_words(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    unknown = sorted(set(settings.STRIPE_LOCALES.values()) - stripe_pages.LOCALES)
    found: list[CheckMessage] = []
    if unknown:
        hint = f"Stripe has {', '.join(sorted(stripe_pages.LOCALES))}."
        found.append(Error(f"STRIPE_LOCALES names no language of Stripe's: {unknown}.", hint=hint, id="hromada.E004"))
    if not settings.CHECKOUT_PAYMENT_METHODS:
        hint = "Name at least card, or leave it unset."
        found.append(Error("CHECKOUT_PAYMENT_METHODS is empty.", hint=hint, id="hromada.E005"))
    return found


@register()
def periods_are_long_enough(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that nothing is removed while it is still needed: soft bounces count for 30 days, Stripe lists events so
    long, and a session at Stripe lives for a day.
    """
    least = {"CHECKOUTS": 2, "LETTERS": 30, "REPORTS": 31, "EVENTS": 31, "SIGN_INS": 1}
    names = {f"KEEP_{name}_DAYS": days for name, days in least.items()}
    return [
        Error(f"{name} is shorter than {days} days.", hint="It is needed so long, whatever else.", id="hromada.E006")
        for name, days in names.items()
        if getattr(settings, name) < days
    ]


@register()
def mail_can_be_sent(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that both mail routes can be created: known providers with their keys. Opens no connection."""
    routes = {"EMAIL_URL": settings.SERVICE_MAIL, "EMAIL_URL_RELATIONSHIP": settings.RELATIONSHIP_MAIL}
    found: list[CheckMessage] = []
    for name, route in routes.items():
        try:
            get_connection(**route["connection"])
        except Exception as problem:  # each backend raises its own errors for wrong options
            hint = f"{type(problem).__name__}. See {name} and django-anymail's name for the provider and its keys."
            found.append(Error(f"{name} cannot be used to send email.", hint=hint, id="hromada.E003"))
    return found


@register()
def production_is_complete(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return []
    needed = {
        "SECRET_KEY": "a long random text, the same for all processes",
        "ALLOWED_HOSTS": "the host names of the site, comma-separated",
        "STRIPE_SECRET_KEY": "a restricted key from Stripe's dashboard",
        "STRIPE_WEBHOOK_SECRETS": "the endpoint's signing secret; during a rotation two, comma-separated",
    }
    needed["EMAIL_URL"] = "how mail leaves, such as smtp+tls://user:password@host:587"
    missing = {name for name in needed if not getattr(settings, name)}
    if settings.CONTACT_EMAIL.endswith(".invalid"):
        needed["CONTACT_EMAIL"] = "where readers reach a person"
        missing.add("CONTACT_EMAIL")
    return [
        Error(f"{name} is not set.", hint=f"Set it in the environment: {meaning}.", id=f"hromada.E{number:03}")
        for number, (name, meaning) in enumerate(needed.items(), start=10)
        if name in missing
    ]


@register()
def production_is_closed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that no key can be guessed and no host is taken at its word: links in emails hang on both."""
    found: list[CheckMessage] = []
    if settings.DEBUG:
        return found
    for key in filter(None, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)):
        if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS:
            hint = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
            found.append(Error("SECRET_KEY, or one of its fallbacks, can be guessed.", hint=hint, id="hromada.E020"))
    if any("*" in host for host in settings.ALLOWED_HOSTS):
        hint = "Name each host of the site; .example.org stands for a domain and all below it."
        found.append(Error("ALLOWED_HOSTS has a *: it would take any host.", hint=hint, id="hromada.E021"))
    return found


@register()
def staff_have_two_factors(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or settings.STAFF_SECOND_FACTOR:
        return []
    hint = "Leave STAFF_SECOND_FACTOR unset, or set it to 1."
    return [Warning("A stolen password opens the desk: no second factor is required.", hint=hint, id="hromada.W001")]

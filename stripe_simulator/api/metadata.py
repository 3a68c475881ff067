"""Metadata as Stripe treats it: merged key by key, an empty value removes its key, within Stripe's limits."""

from __future__ import annotations

from stripe_simulator.world.errors import invalid

MOST_KEYS, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500


def merged(current: dict[str, str], given: dict[str, str] | str | None) -> dict[str, str]:
    """Return `current` merged with `given`; an empty string instead of keys removes all.

    Raises StripeRefusal for more than 50 keys, and for long keys or values.
    """
    if given == "":
        return {}
    result = dict(current)
    for key, value in (given or {}).items() if isinstance(given, dict) else ():
        if len(key) > LONGEST_KEY or "[" in key or "]" in key:
            raise invalid(f"Metadata keys have at most {LONGEST_KEY} characters and no brackets.", f"metadata[{key}]")
        if len(value) > LONGEST_VALUE:
            raise invalid(f"Metadata values have at most {LONGEST_VALUE} characters.", f"metadata[{key}]")
        if value:
            result[key] = value
        else:
            result.pop(key, None)
    if len(result) > MOST_KEYS:
        raise invalid(f"Metadata has at most {MOST_KEYS} keys.", "metadata")
    return result

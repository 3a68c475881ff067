"""Request and answers of the entitlement API, as the published schema shows them. Used by members/views/api.py only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class Lookup(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254, help_text="The address a reader has signed in with at your site.")

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated fields. Raises ValidationError for unknown fields too, so that a typo is not ignored."""
        if isinstance(data, Mapping):
            unknown = sorted(str(name)[:40] for name in set(data) - set(self.fields))[:10]
            if unknown:
                raise serializers.ValidationError({name: ["This field is not known here."] for name in unknown})
        return super().to_internal_value(data)


class EntitlementAnswer(serializers.Serializer[Any]):
    active = serializers.BooleanField(help_text="Whether this reader has a patron's access today.")
    level = serializers.CharField(allow_null=True, help_text="The level's short name; null unless active.")
    until = serializers.DateField(allow_null=True, help_text="Last day of access, grace included; null unless active.")
    reason = serializers.ChoiceField(
        choices=["active", "grace", "lapsed", "ended", "none"],
        help_text="grace: a payment is late and access continues. none: no membership, or an unknown address.",
    )


class Problem(serializers.Serializer[Any]):
    detail = serializers.CharField()

"""What other servers may say and what they hear back, as the published schema shows it. Used by members.api only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class Lookup(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254, help_text="The address a reader has signed in with at your site.")

    def to_internal_value(self, data: Any) -> Any:
        """A field we do not know is a mistake of the caller: better said than ignored."""
        if isinstance(data, Mapping):
            unknown = sorted(str(name)[:40] for name in set(data) - set(self.fields))[:10]
            if unknown:
                raise serializers.ValidationError({name: ["This field is not known here."] for name in unknown})
        return super().to_internal_value(data)


class EntitlementAnswer(serializers.Serializer[Any]):
    active = serializers.BooleanField(help_text="May use what patrons may use, today.")
    level = serializers.CharField(allow_null=True, help_text="The level's name in addresses; null unless active.")
    until = serializers.DateField(allow_null=True, help_text="Last day of access, grace included; null unless active.")
    reason = serializers.ChoiceField(
        choices=["active", "grace", "lapsed", "ended", "none"],
        help_text="grace: a payment is late and access goes on. none: nothing known, whoever it is.",
    )


class Problem(serializers.Serializer[Any]):
    detail = serializers.CharField()

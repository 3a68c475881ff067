"""`/api/v1/entitlements/`: the API with which the newsroom's other servers look up a reader's entitlement.

Imports this app only, so it answers while payments, Stripe or Redis are down.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.db import OperationalError
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from members import api_keys, limits
from members.belonging import entitlements
from members.models import ApiKey
from members.views.serializers import EntitlementAnswer, Lookup, Problem

log = logging.getLogger("hromada.api")

MINUTE, HOUR, DAY = 60, 3600, 86_400
NO_KEY = "Send a valid key: Authorization: Bearer KEY."


class KeyAuthentication(BaseAuthentication):
    """Authentication by API key. A missing, wrong or revoked key gets the same answer, so it reveals nothing."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        key = api_keys.find(text.strip()) if scheme.lower() == "bearer" and text.strip() else None
        if key is None:
            raise exceptions.AuthenticationFailed(NO_KEY)
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MayReadEntitlements(BasePermission):
    message = "This key is not for entitlements."

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, ApiKey) and request.auth.scope == api_keys.ENTITLEMENTS_READ


class LimitPerKey(BaseThrottle):
    """So many lookups a minute and a day: whoever stole a key cannot try a whole list of addresses."""

    seconds = 60

    def allow_request(self, request: Request, view: Any) -> bool:
        key = str(request.auth.pk)
        if not limits.hit("entitlements", key, settings.ENTITLEMENT_LOOKUPS_PER_MINUTE, MINUTE):
            return False
        is_within_day = limits.hit("entitlements-day", key, settings.ENTITLEMENT_LOOKUPS_PER_DAY, DAY)
        self.seconds = MINUTE if is_within_day else HOUR
        return is_within_day

    def wait(self) -> float:
        return float(self.seconds)


class PatientJSONParser(JSONParser):
    """A JSON parser that answers 400, not 500, to JSON nested too deeply for Python."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().parse(*args, **kwargs)
        except RecursionError:
            raise exceptions.ParseError("JSON parse error - nested too deeply") from None


class EntitlementLookup(APIView):
    authentication_classes = [KeyAuthentication]
    permission_classes = [MayReadEntitlements]
    throttle_classes = [LimitPerKey]
    parser_classes = [PatientJSONParser]

    @extend_schema(
        operation_id="entitlements_lookup",
        summary="What may this reader use, and until when?",
        description="For a server that already knows the address. Known and unknown addresses get the same shape.",
        request=Lookup,
        responses={
            200: EntitlementAnswer,
            400: dict,
            **dict.fromkeys((401, 403, 415, 429, 503), Problem),
        },
        tags=["entitlements"],
    )
    def post(self, request: Request) -> Response:
        # The language middleware may have parsed a form already; the framework would then accept it in place of JSON.
        if request._request.content_type not in ("", JSONParser.media_type):
            raise exceptions.UnsupportedMediaType(str(request._request.content_type))
        lookup = Lookup(data=request.data)
        lookup.is_valid(raise_exception=True)
        found = entitlements.of_email(lookup.validated_data["email"])
        log.info("entitlements.lookup key=%s active=%s", request.auth.pk, found.active)
        return Response(EntitlementAnswer(found).data, headers={"Cache-Control": "no-store"})

    def handle_exception(self, exc: Exception) -> Response:
        """Answer 503 instead of 500 if the database does not answer."""
        if isinstance(exc, OperationalError):
            log.warning("entitlements.unavailable reason=%s", type(exc).__name__)
            return Response({"detail": "Try again in a moment."}, status=503, headers={"Retry-After": "5"})
        return super().handle_exception(exc)


class KeySchema(OpenApiAuthenticationExtension):
    """How the published schema describes the API key. Defining the class registers it."""

    target_class = KeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}

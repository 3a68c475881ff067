"""`/api/v1/appeals/`: the appeal for the newsroom's other sites to show. Public, without cookies, cacheable."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from django.utils.translation import get_language, gettext
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from appeals import blocks, campaigns, serializers

FRESH = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"
BRIEF = "public, max-age=60"


class AppealDetail(APIView):
    @extend_schema(
        operation_id="appeals_retrieve",
        summary="The appeal to show at the end of an article, and the campaign's progress",
        description=(
            "For embedding; any origin may read it. For a campaign that has ended or is switched off, the answer is "
            "the campaign that runs now, or the plain link if none does, so that pages built earlier keep working. "
            "Only a name that never existed is 404, and that answer has the plain link too."
        ),
        parameters=[
            OpenApiParameter("lang", str, description="Language of the words; else Accept-Language."),
            OpenApiParameter("currency", str, description="Code of the suggested amounts; else the site's first."),
            OpenApiParameter("article", str, description="The article's name, kept with a gift. At most 120 letters."),
        ],
        responses={200: serializers.AppealAnswer, 304: None, 404: serializers.NoSuchAppeal},
        tags=["appeals"],
        auth=[],
    )
    def get(self, request: Request, campaign: str) -> HttpResponseBase:
        found = campaigns.find(campaign)
        options = {
            "language": get_language() or settings.LANGUAGE_CODE,
            "currency": request.GET.get("currency", ""),
            "article": blocks.clean_article(request.GET.get("article", "")),
            "base": settings.SITE_URL,
        }
        if found is None:
            plain = campaigns.block(None, **options)
            body = {"detail": gettext("There is no campaign of this name."), "links": serializers.links(plain)}
            return Response(body, status=404, headers={"Cache-Control": BRIEF})
        block = campaigns.block(campaigns.running_or_default(found), **options)
        return _cacheable(request, serializers.answer(block))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the headers that let pages of any origin read the answer, including 304 and errors."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        patch_vary_headers(response, ["Accept-Language"])
        return response


def _cacheable(request: Request, body: dict[str, Any]) -> HttpResponseBase:
    """Return the answer with an ETag and caching headers, or 304 if the client has the same version already."""
    digest = hashlib.sha256(json.dumps(body, default=str).encode()).hexdigest()[:32]
    response = Response(body, headers={"Cache-Control": FRESH, "Content-Language": body["language"]})
    found = get_conditional_response(request._request, etag=quote_etag(digest), response=response) or response
    found["ETag"] = quote_etag(digest)
    return found

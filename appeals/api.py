"""`/api/v1/appeals/`: the ask, for other sites of the newsroom to show. Public, without cookies, kept by caches."""

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
        summary="What to ask at the end of an article, and how far the campaign has come",
        description=(
            "For embedding; any origin may read it. A campaign that has ended or is switched off answers with the one "
            "that asks now, and without any with the plain link: a page that was built earlier goes on working. "
            "Only a name that never existed is 404, and that answer carries the plain link too."
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
        asked = {
            "language": get_language() or settings.LANGUAGE_CODE,
            "currency": request.GET.get("currency", ""),
            "article": blocks.clean_article(request.GET.get("article", "")),
            "base": settings.SITE_URL,
        }
        if found is None:
            plain = campaigns.block(None, **asked)
            body = {"detail": gettext("There is no campaign of this name."), "links": serializers.links(plain)}
            return Response(body, status=404, headers={"Cache-Control": BRIEF})
        block = campaigns.block(campaigns.running_or_default(found), **asked)
        return _kept(request, serializers.answer(block))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Every answer may be read from everywhere, also one that says that nothing has changed."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        patch_vary_headers(response, ["Accept-Language"])
        return response


def _kept(request: Request, body: dict[str, Any]) -> HttpResponseBase:
    """The answer with what caches need, or 304 to whoever has it already."""
    digest = hashlib.sha256(json.dumps(body, default=str).encode()).hexdigest()[:32]
    response = Response(body, headers={"Cache-Control": FRESH, "Content-Language": body["language"]})
    found = get_conditional_response(request._request, etag=quote_etag(digest), response=response) or response
    found["ETag"] = quote_etag(digest)
    return found

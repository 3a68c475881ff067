"""The published API: its schema and the page that shows it. Used by project/urls.py only."""

from __future__ import annotations

from csp.decorators import csp_update
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

schema = SpectacularAPIView.as_view()

# Swagger UI needs inline styles and icons from data: addresses. No other page allows them.
docs = csp_update({"style-src": ["'unsafe-inline'"], "img-src": ["data:"]})(
    SpectacularSwaggerSplitView.as_view(url_name="api-schema")
)

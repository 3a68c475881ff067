"""The published API: its schema is complete and valid, and only its page has a looser content security policy."""

from __future__ import annotations

from io import StringIO

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_schema_is_valid_and_nothing_in_it_was_guessed() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())


def test_both_addresses_are_described_and_only_one_wants_a_key(client: Client) -> None:
    schema = yaml.safe_load(client.get("/api/schema/").content)
    lookup = schema["paths"]["/api/v1/entitlements/lookup/"]["post"]
    appeal = schema["paths"]["/api/v1/appeals/{campaign}/"]["get"]
    assert lookup["security"] == [{"ApiKey": []}]
    assert "security" not in appeal or {} in appeal["security"] or appeal["security"] == []
    assert set(lookup["responses"]) == {"200", "400", "401", "403", "415", "429", "503"}
    assert schema["components"]["securitySchemes"]["ApiKey"] == {"type": "http", "scheme": "bearer"}


def test_the_page_may_set_styles_and_no_other_page_may(client: Client) -> None:
    policy = client.get("/api/docs/")["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "img-src 'self' data:" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in client.get("/healthz")["Content-Security-Policy"]


def test_nothing_of_the_page_comes_from_elsewhere(client: Client) -> None:
    for path in ("/api/docs/", "/api/docs/?script="):
        html = client.get(path).content.decode()
        assert "https://" not in html
        assert "//cdn" not in html

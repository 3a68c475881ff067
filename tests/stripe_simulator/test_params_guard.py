"""The check of outgoing parameters: correct ones pass, misspelt ones are named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from stripe import params as sdk

from payments.stripe_api.params import check
from tests.stripe_simulator.conftest import session_params

CREATE = sdk.checkout.SessionCreateParams


@pytest.mark.parametrize(
    ("params", "typed_dict"),
    [
        (session_params(), CREATE),
        (session_params("subscription", submit_type="donate", locale="en", customer_email="a@example.org"), CREATE),
        (session_params(allowed_payment_method_types=["card", "sepa_debit"], customer_creation="always"), CREATE),
        ({"pause_collection": "", "cancel_at_period_end": True, "metadata": {"a": ""}}, sdk.SubscriptionUpdateParams),
        ({"pause_collection": {"behavior": "void", "resumes_at": 5}}, sdk.SubscriptionUpdateParams),
        ({"cancel_at": ""}, sdk.SubscriptionUpdateParams),
        ({"cancel_at": "min_period_end"}, sdk.SubscriptionUpdateParams),
        ({"name": "", "description": "anything"}, sdk.CustomerUpdateParams),
        ({"created": {"gte": 5}, "limit": 100}, sdk.BalanceTransactionListParams),
        ({"created": 5}, sdk.BalanceTransactionListParams),
        ({"enabled_events": ["invoice.paid"], "url": "https://example.org"}, sdk.WebhookEndpointCreateParams),
    ],
)
def test_what_fits(params: dict[str, Any], typed_dict: type) -> None:
    check(params, typed_dict)


def item(**changes: Any) -> list[dict[str, Any]]:
    [line] = session_params("subscription")["line_items"]
    return [{**line, "price_data": {**line["price_data"], **changes}}]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"mode": "subscripton"}, "mode"),
        ({"locale": "xx"}, "locale"),
        ({"submit_type": "give"}, "submit_type"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"idempotency_key": "x"}, "idempotency_key"),
        ({"allowed_payment_method_types": ["crad"]}, "allowed_payment_method_types[0]"),
        ({"line_items": item(recurring={"interval": "mont"})}, "line_items[0].price_data.recurring.interval"),
        ({"line_items": item(unit_amount="500")}, "line_items[0].price_data.unit_amount"),
        ({"line_items": item(unit_amount=True)}, "line_items[0].price_data.unit_amount"),
        ({"line_items": item(unit_amount=Decimal(5))}, "line_items[0].price_data.unit_amount"),
        ({"line_items": item(unit_amount_decimal="1.5")}, "line_items[0].price_data.unit_amount_decimal"),
        ({"line_items": item(colour="red")}, "line_items[0].price_data.colour"),
        ({"line_items": [{"price_data": {}}]}, "line_items[0].price_data.currency"),
        ({"line_items": "all"}, "line_items"),
        ({"metadata": {"a": 5}}, "metadata.a"),
        ({"subscription_data": {"metadata": {"a": None}}}, "subscription_data.metadata.a"),
        ({"phone_number_collection": {"enabled": "true"}}, "phone_number_collection.enabled"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(ValueError, match="SessionCreateParams: ") as error:
        check({**session_params("subscription"), **changes}, CREATE)
    assert str(error.value).split(": ")[1] == path


def test_required_parameters() -> None:
    with pytest.raises(ValueError, match="enabled_events: is required"):
        check({"url": "https://example.org"}, sdk.WebhookEndpointCreateParams)

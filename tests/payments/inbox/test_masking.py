"""Staff see the ids and states of a stored event and no personal details, whatever bytes were received."""

from __future__ import annotations

import json

import pytest

from payments.inbox.masking import masked, without_addresses

PERSON = [
    "olena@example.org",
    "Олена Коваль",
    "+380501112233",
    "Хрещатик 1",
    "01001",
    "Київ",
    "203.0.113.7",
    "DE89370400440532013000",
    "https://pay.stripe.com/receipts/acct_1/x",
]
EVENT = {
    "id": "evt_1",
    "type": "checkout.session.completed",
    "data": {
        "object": {
            "id": "cs_1",
            "amount_total": 1000,
            "client_reference_id": "a-public-id",
            "customer_email": PERSON[0],
            "customer_details": {
                "email": PERSON[0],
                "name": PERSON[1],
                "phone": PERSON[2],
                "tax_ids": [],
                "address": {
                    "line1": PERSON[3],
                    "line2": None,
                    "postal_code": PERSON[4],
                    "city": PERSON[5],
                    "state": "Kyiv",
                    "country": "UA",
                },
            },
            "card": {"last4": "4242", "exp_year": 2030, "brand": "visa"},
            "tos_acceptance": {"ip": PERSON[6], "user_agent": "Mozilla"},
            "sepa_debit": {"iban": PERSON[7], "last4": "3000"},
            "receipt_url": PERSON[8],
            "url": "https://checkout.stripe.com/c/pay/cs_1#secret",
            "client_secret": "pi_1_secret_2",
            "note": f"write to {PERSON[0]} please",
            "metadata": {PERSON[0]: "as a key"},
            "status": "complete",
            "livemode": False,
        }
    },
}


def test_a_person_cannot_be_read_from_it() -> None:
    shown = masked(json.dumps(EVENT).encode()) or ""
    for detail in [*PERSON, "Kyiv", "Mozilla", "secret"]:
        assert detail not in shown.replace("client_secret", ""), detail


def test_what_staff_need_stays() -> None:
    shown = json.loads(masked(json.dumps(EVENT).encode()) or "")
    found = shown["data"]["object"]
    assert (shown["id"], shown["type"], found["id"]) == ("evt_1", "checkout.session.completed", "cs_1")
    assert (found["card"]["last4"], found["sepa_debit"]["last4"]) == ("4242", "3000")
    assert (found["amount_total"], found["status"], found["livemode"]) == (1000, "complete", False)
    assert found["customer_details"]["address"]["country"] == "UA"
    assert found["customer_details"]["address"]["line2"] is None


EVIDENCE = {
    "billing_address": "Khreshchatyk 1, 01001 Kyiv",
    "customer_name": "Olena Koval",
    "shipping_address": "Kyiv 1",
    "customer_purchase_ip": "203.0.113.7",
    "uncategorized_text": "Olena Koval, born 1980",
    "access_activity_log": "2026-01-01 203.0.113.7 signed in",
    "shipping_tracking_number": 380501112233,
    "enhanced_evidence": {"visa": {"prior": [{"customer_device_id": "olenas-phone", "product_description": "Olena"}]}},
}


def shown_of(**values: object) -> str:
    """Return an event whose object has these values, as staff see it."""
    return masked(json.dumps({"id": "evt_1", "data": {"object": {"id": "du_1", **values}}}).encode()) or ""


def test_what_a_dispute_is_answered_with_is_hidden() -> None:
    shown = shown_of(evidence=EVIDENCE, evidence_details={"due_by": 1767225600, "has_evidence": True})
    for detail in ("Khreshchatyk", "Kyiv", "01001", "Olena", "olena", "203.0.113.7", "1980", "380501112233"):
        assert detail not in shown, detail
    assert "1767225600" in shown
    assert "uncategorized_text" in shown, "the shape stays"


def test_an_address_in_one_line_is_hidden() -> None:
    assert "Khreshchatyk" not in shown_of(address="Khreshchatyk 1", shipping={"full_address": ["Khreshchatyk 1, Kyiv"]})


def test_of_metadata_only_our_own_names_are_shown() -> None:
    metadata = {"hromada_checkout": "a-public-id", "hromada_refund_request": "a-request", "donor": "Olena"}
    shown = shown_of(metadata={**metadata, "phone": 380})
    assert "a-public-id" in shown
    assert "a-request" in shown
    assert "Olena" not in shown
    assert "380" not in shown
    assert "Olena" not in shown_of(metadata={"hromada_checkout": {"hromada_checkout": "Olena"}})


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"\xff\xfe\x00", b"not json", b"{", b'{"a":', b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}", b"\x00" * 10],
)
def test_rubbish_is_not_shown_and_raises_nothing(rubbish: bytes) -> None:
    assert masked(rubbish) is None


@pytest.mark.parametrize("odd", [b"null", b"3", b'"olena@example.org"', b"[1, [2]]", b'{"a": NaN}', b'"\\ud800"'])
def test_odd_json_is_shown_and_can_be_sent(odd: bytes) -> None:
    shown = masked(odd)
    assert shown is not None
    assert shown.encode()
    assert "olena" not in shown


def test_errors_lose_their_addresses() -> None:
    assert without_addresses("KeyError: 'olena@example.org' in <a@b.c>") == "KeyError: '•••' in <•••>"

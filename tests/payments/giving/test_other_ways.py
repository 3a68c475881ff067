"""The page of a bank transfer shows an account, a new reference and a QR code for banking apps; nothing is stored."""

from __future__ import annotations

import re
from html import unescape

import pytest
import segno
from django.test import Client

from payments.giving import other_ways
from payments.giving.other_ways import Code, Transfer, epc_payload
from project.checks import iban_is_valid

IBAN = "LT121000011101001000"


@pytest.fixture(autouse=True)
def _account(settings) -> None:
    settings.BANK_BENEFICIARY, settings.BANK_IBAN, settings.BANK_BIC = "Кур’єр NGO", IBAN, "HABALT22"


def page(query: str = "") -> str:
    return unescape(Client().get(f"/support/other-ways/{query}").content.decode())


def test_the_account_is_shown_with_a_reference_of_its_own() -> None:
    first, second = page(), page()
    for shown in ("Кур’єр NGO", "LT12 1000 0111 0100 1000", "HABALT22"):
        assert shown in first
    references = [re.search(r"HR-\w{4}-\w{2}", body)[0] for body in (first, second)]  # type: ignore[index]
    assert references[0] != references[1]


def test_an_amount_is_judged_only_where_the_page_asks_for_one(settings) -> None:
    assert Client().get("/support/other-ways/?amount=-3").status_code == 422
    settings.BANK_IBAN = ""
    assert Client().get("/support/other-ways/?amount=-3").status_code == 200


def test_nobody_else_keeps_the_page() -> None:
    assert "private" in Client().get("/support/other-ways/")["Cache-Control"]


def test_the_code_has_the_lines_banks_expect() -> None:
    transfer = Transfer("Кур’єр NGO", IBAN, "HABALT22", "HR-7K4M-2Q", 1050)
    assert epc_payload(transfer).split("\n") == [
        "BCD",
        "002",
        "1",
        "SCT",
        "HABALT22",
        "Кур’єр NGO",
        IBAN,
        "EUR10.50",
        "",
        "",
        "HR-7K4M-2Q",
    ]


def test_without_an_amount_its_line_is_empty() -> None:
    lines = epc_payload(Transfer("NGO", IBAN, "", "HR-7K4M-2Q")).split("\n")
    assert (lines[4], lines[7], len(lines)) == ("", "", 11)


def test_the_longest_name_stays_within_what_a_code_may_hold() -> None:
    payload = epc_payload(Transfer("Ґ" * 200, IBAN, "HABALT22XXX", "HR-7K4M-2Q", 99_999_999_999))
    assert len(payload.encode()) <= 331


def test_the_drawn_code_is_the_code() -> None:
    payload = epc_payload(Transfer("NGO", IBAN, "", "HR-7K4M-2Q", 2000))
    expected = [
        [bool(module) for module in row]
        for row in segno.make(payload, error="m", micro=False, boost_error=False, encoding="utf-8").matrix
    ]
    code = Code.of(payload)
    drawn = [[False] * (code.size - 8) for _ in range(code.size - 8)]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", code.path):
        for step in range(int(width)):
            drawn[int(y) - 4][int(x) - 4 + step] = True
    assert drawn == expected


def test_an_amount_goes_into_the_code() -> None:
    body = page("?amount=12,50")
    assert "€12.50" in body
    assert 'value="12,50"' in body
    assert page().count("<svg") == body.count("<svg") == 1


@pytest.mark.parametrize("typed", ["1e3", "-5", "0", "1.000", "9" * 50, "\x00"])
def test_an_amount_that_is_none_says_what_to_do(typed: str) -> None:
    answer = Client().get("/support/other-ways/", {"amount": typed})
    assert answer.status_code == 422
    assert 'id="amount-error"' in answer.content.decode()
    assert "<svg" in answer.content.decode()


def test_no_account_is_left_out_kindly(settings) -> None:
    settings.BANK_IBAN, settings.CONTACT_EMAIL = "", "people@example.org"
    body = page()
    assert "Write to us and we send you the bank details." in body
    assert "IBAN" not in body
    assert "<svg" not in body


def test_an_account_that_sepa_does_not_reach_has_no_code(settings) -> None:
    settings.BANK_IBAN = "UA213223130000026007233566001"
    body = page("?amount=10")
    assert "UA21 3223 1300 0002 6007 2335 6600 1" in body
    assert "<svg" not in body


def test_links_lead_out_by_https_only(settings) -> None:
    settings.OTHER_WAYS_LINKS = ["PayPal|https://pay.example/x", "Bad|javascript:alert(1)", "nothing"]
    assert [way.label for way in other_ways.links()] == ["PayPal"]
    assert 'href="https://pay.example/x" rel="noopener noreferrer"' in page()


@pytest.mark.parametrize(
    ("iban", "is_refused"), [("", False), (IBAN, False), ("LT121000011101001001", True), ("x", True)]
)
def test_an_account_that_cannot_exist_refuses_to_start(settings, iban: str, is_refused: bool) -> None:
    settings.BANK_IBAN = iban
    assert [problem.id for problem in iban_is_valid(None)] == (["hromada.E002"] if is_refused else [])

"""The second factor of staff: set at the first sign-in, given at each, renewed with the current one, reset."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from members.models import RecoveryCode, StaffLogEntry
from members.staff import door, factor
from tests import colleagues, factories

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"
GIVE, SET = "/admin/second-factor/give/", "/admin/second-factor/set/"


@pytest.fixture(autouse=True)
def nothing_tried() -> None:
    factories.forget_tries()


@pytest.fixture
def required(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True


def password(client: Client, name: str = "marta", onward: str = "/admin/") -> Any:
    return client.post(f"/admin/login/?next={onward}", {"username": name, "password": PASSWORD, "next": onward})


def code_shown(client: Client) -> str:
    """Return the code of the app that has scanned the page's secret."""
    page = client.get(SET).content.decode()
    assert "<svg" in page
    device = TOTPDevice.objects.get(confirmed=False)
    assert factor.secret_of(device) in page
    return colleagues.code_of(device)


def enrol(client: Client) -> list[str]:
    answer = client.post(SET, {"code": code_shown(client), "next": "/admin/"})
    return re.findall(r"<li><code>([a-z2-7-]{19})</code>", answer.content.decode())


def test_the_first_sign_in_leads_to_setting_one_and_nothing_else_opens(required: None, client: Client) -> None:
    user = factories.staff()
    assert password(client, onward="/admin/members/supporter/")["Location"].startswith(SET)
    for closed in ("/admin/", "/admin/members/supporter/", "/admin/password_change/", "/admin/second-factor/"):
        assert client.get(closed).status_code == 302, closed
    codes = enrol(client)
    assert len(set(codes)) == 10
    assert client.get("/admin/members/supporter/").status_code == 200
    stored = set(RecoveryCode.objects.values_list("hashed_code", flat=True))
    assert len(stored) == 10
    assert not stored & {code.replace("-", "") for code in codes}
    assert StaffLogEntry.objects.filter(action="factor.set", actor=user.pk).exists()


def test_it_is_asked_at_each_sign_in_and_a_code_is_good_once(required: None, client: Client) -> None:
    device = colleagues.second_factor(factories.staff())
    assert password(client, onward="/admin/payments/case/")["Location"] == f"{GIVE}?next=%2Fadmin%2Fpayments%2Fcase%2F"
    assert client.get("/admin/").status_code == 302
    assert client.get(SET)["Location"] == GIVE
    code = colleagues.code_of(device)
    opened = client.post(GIVE, {"code": code, "next": "/admin/payments/case/"})
    assert opened["Location"] == "/admin/payments/case/"
    assert client.get("/admin/").status_code == 200
    other = Client()
    password(other)
    again = other.post(GIVE, {"code": code})
    assert again.status_code == 200
    assert "was used already" in again.content.decode()
    assert other.get("/admin/").status_code == 302


def test_who_has_one_is_asked_even_where_none_is_required(client: Client, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = False
    colleagues.second_factor(factories.staff())
    assert password(client)["Location"].startswith(GIVE)
    assert client.get("/admin/").status_code == 302


def test_nobody_is_led_elsewhere_by_the_next_address(client: Client) -> None:
    device = colleagues.second_factor(factories.staff())
    password(client)
    sent_on = client.post(GIVE, {"code": colleagues.code_of(device), "next": "https://evil.example/admin/"})
    assert sent_on["Location"] == "/admin/"


def test_a_recovery_code_opens_once(required: None, client: Client) -> None:
    user = factories.staff()
    password(client)
    code = enrol(client)[3]
    for number, status in ((1, 302), (2, 200)):
        again = Client()
        password(again)
        assert again.post(GIVE, {"code": code.upper() if number == 1 else code}).status_code == status
    assert factor.codes_left(user) == 9


def test_guesses_are_stopped_and_the_recovery_codes_still_open(required: None, client: Client) -> None:
    user = factories.staff()
    device = colleagues.second_factor(user)
    code = factor.new_codes(user)[0]
    password(client)
    for _number in range(factor.SHORTLY):
        client.post(GIVE, {"code": "000000"})
    stopped = client.post(GIVE, {"code": colleagues.code_of(device)})
    assert "many tries" in stopped.content.decode()
    assert client.get("/admin/").status_code == 302
    assert client.post(GIVE, {"code": code}).status_code == 302
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("rubbish", ["", "x", "000 000 0", "١٢٣٤٥٦", "\x00", "9" * 400, "-1", "1e5", "२३४५६७"])
def test_rubbish_is_no_error(required: None, client: Client, rubbish: str) -> None:
    colleagues.second_factor(factories.staff())
    password(client)
    assert client.post(GIVE, {"code": rubbish}).status_code == 200
    other = Client()
    factories.staff("iryna")
    password(other, "iryna")
    assert other.post(SET, {"code": rubbish}).status_code == 200
    assert other.get("/admin/").status_code == 302


def signed_in(client: Client) -> TOTPDevice:
    device = colleagues.second_factor(factories.staff())
    password(client)
    assert client.post(GIVE, {"code": colleagues.code_of(device, -1)}).status_code == 302
    return device


def test_renewing_asks_for_the_current_one_and_the_old_one_ends(client: Client) -> None:
    device = signed_in(client)
    assert client.get(SET)["Location"] == "/admin/second-factor/"
    assert client.post("/admin/second-factor/renew/", {"code": "000000"}).status_code == 200
    assert client.get(SET).status_code == 302
    asked = client.post("/admin/second-factor/renew/", {"code": colleagues.code_of(device)})
    assert asked["Location"] == SET
    assert len(enrol(client)) == 10
    assert TOTPDevice.objects.get().pk != device.pk
    assert client.get("/admin/").status_code == 200


def test_new_codes_ask_for_the_current_one_and_end_the_earlier_ones(client: Client) -> None:
    device = signed_in(client)
    user = device.user
    earlier = factor.new_codes(user)[0]
    assert RecoveryCode.objects.count() == 10
    shown = client.post("/admin/second-factor/codes/", {"code": colleagues.code_of(device)}).content.decode()
    assert len(re.findall(r"<li><code>", shown)) == 10
    assert not factor.is_right(user, earlier)


def test_it_can_be_removed_only_where_none_is_required(client: Client, settings: Any) -> None:
    device = signed_in(client)
    settings.STAFF_SECOND_FACTOR = True
    assert client.post("/admin/second-factor/remove/", {"code": colleagues.code_of(device)}).status_code == 403
    settings.STAFF_SECOND_FACTOR = False
    assert client.post("/admin/second-factor/remove/", {"code": "000000"}).status_code == 200
    assert TOTPDevice.objects.exists()
    client.post("/admin/second-factor/remove/", {"code": colleagues.code_of(device)})
    assert not TOTPDevice.objects.exists()
    assert client.get("/admin/").status_code == 200


def test_an_open_session_alone_sets_no_factor_on_somebody(client: Client) -> None:
    colleagues.sign_in(client)
    session = client.session
    session[door.CONFIRMED] = 1
    session.save()
    asked = client.post(SET, {"code": code_shown(client)})
    assert "Your password" in asked.content.decode()
    assert not TOTPDevice.objects.filter(confirmed=True).exists()
    kept = {"code": colleagues.code_of(TOTPDevice.objects.get()), "step_up": PASSWORD}
    assert "recovery codes" in client.post(SET, kept).content.decode()
    assert TOTPDevice.objects.get().confirmed


def test_a_session_ends_after_twelve_hours_however_busy(client: Client) -> None:
    factories.staff()
    password(client)
    session = client.session
    session[door.BEGAN] -= 12 * 3600 + 1
    session.save()
    assert client.get("/admin/").status_code == 302


def test_signing_out_everywhere_ends_every_session(client: Client) -> None:
    factories.staff()
    other = Client()
    password(client)
    password(other)
    assert client.get("/admin/sign-out-everywhere/").status_code == 200
    assert other.get("/admin/").status_code == 200
    client.post("/admin/sign-out-everywhere/")
    assert other.get("/admin/").status_code == 302
    assert client.get("/admin/").status_code == 302
    password(other)
    assert other.get("/admin/").status_code == 200


def test_who_stands_before_the_second_factor_can_leave(client: Client) -> None:
    colleagues.second_factor(factories.staff())
    password(client)
    client.post("/admin/second-factor/leave/")
    assert client.get(GIVE)["Location"].startswith("/admin/login/")


def test_the_command_for_a_locked_out_owner(required: None, client: Client) -> None:
    device = signed_in(client)
    out = StringIO()
    call_command("reset_second_factor", "marta", stdout=out)
    assert "Removed" in out.getvalue()
    assert not TOTPDevice.objects.filter(pk=device.pk).exists()
    assert client.get("/admin/").status_code == 302
    assert password(client)["Location"].startswith(SET)
    assert StaffLogEntry.objects.filter(action="colleague.factor_reset", actor=None).count() == 1
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody")


def test_the_pages_need_no_script_and_no_inline_style(required: None, client: Client) -> None:
    factories.staff()
    password(client)
    page = client.get(SET)
    assert "unsafe" not in page["Content-Security-Policy"]
    assert " style=" not in page.content.decode()
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("path", ["", "give/", "set/", "renew/", "codes/", "remove/"])
def test_strangers_are_led_to_the_sign_in(client: Client, path: str) -> None:
    for answer in (client.get(f"/admin/second-factor/{path}"), client.post(f"/admin/second-factor/{path}")):
        assert answer["Location"].startswith("/admin/login/")

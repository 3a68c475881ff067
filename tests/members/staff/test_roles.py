"""Roles, colleagues and invitations: nobody gives or takes rights that they do not have."""

from __future__ import annotations

import html
import logging
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import StaffLogEntry
from members.staff import factor, roles
from project.log_lines import WithoutTokens
from tests import colleagues, factories

pytestmark = pytest.mark.django_db
COLLEAGUES, INVITE = "/admin/auth/user/", "/admin/auth/user/add/"
NEW_PASSWORD = "vyshyvanka at dawn 7"


@pytest.fixture(autouse=True)
def nothing_tried() -> None:
    factories.forget_tries()


def act(who: User, slug: str) -> str:
    return reverse(f"admin:auth_user_{slug}", args=[who.pk])


def link_in(answer: Any) -> str:
    found = re.search(r"http[^<\s]+(/admin/invitation/[^<\s]+)</code>", html.unescape(answer.content.decode()))
    assert found
    return found[1]


def test_migrate_makes_the_roles_and_puts_them_right_again() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= set(roles.ROLES)
    viewer = Group.objects.get(name=roles.VIEWER)
    viewer.permissions.add(Permission.objects.get(codename="change_user"))
    Group.objects.get(name=roles.SUPPORT).permissions.clear()
    call_command("migrate", verbosity=0)
    assert not viewer.permissions.filter(codename="change_user").exists()
    assert Group.objects.get(name=roles.SUPPORT).permissions.count() == len(set(roles.ROLES[roles.SUPPORT]))


def test_the_roles_are_as_the_table_of_the_newsroom_says() -> None:
    may = {name: colleagues.in_role(name).get_all_permissions() for name in roles.ROLES}
    for right, holders in {
        "members.view_supporter": {roles.SUPPORT, roles.MANAGER, roles.OWNER},
        "members.see_at_risk": {roles.MANAGER, roles.OWNER},
        "payments.change_payment": {roles.SUPPORT, roles.FINANCE, roles.MANAGER, roles.OWNER},
        "payments.refund_without_limit": {roles.FINANCE, roles.MANAGER, roles.OWNER},
        "payments.change_subscription": {roles.SUPPORT, roles.MANAGER, roles.OWNER},
        "appeals.change_campaign": {roles.EDITOR, roles.MANAGER, roles.OWNER},
        "appeals.publish_campaign": {roles.MANAGER, roles.OWNER},
        "payments.view_ledgerentry": {roles.FINANCE, roles.MANAGER, roles.OWNER},
        "payments.see_figures": {roles.VIEWER, roles.FINANCE, roles.MANAGER, roles.OWNER},
        "members.change_apikey": {roles.OWNER},
        "members.view_stafflogentry": {roles.OWNER},
        "auth.change_user": {roles.OWNER},
    }.items():
        assert {name for name, held in may.items() if right in held} == holders, right


def test_an_owner_invites_and_the_link_works_once(client: Client) -> None:
    colleagues.sign_in(client, colleagues.in_role(roles.OWNER))
    shown = client.post(INVITE, {"email": "iryna@example.org", "role": roles.SUPPORT}, follow=True)
    link = link_in(shown)
    assert link not in client.get(COLLEAGUES).content.decode()
    guest = Client()
    page = guest.get(link)
    assert page.status_code == 200
    assert page["Referrer-Policy"] == "no-referrer"
    wrong = {"username": "iryna", "password": "short", "again": "short"}
    assert guest.post(link, wrong).status_code == 200
    assert guest.post(link, {**wrong, "password": NEW_PASSWORD}).status_code == 200
    right = {"username": "iryna", "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    taken = guest.post(link, {**right, "username": "OWNER"})
    assert "has this name already" in taken.content.decode()
    assert guest.post(link, right)["Location"] == "/admin/login/"
    joined = User.objects.get(username="iryna")
    assert roles.of(joined) == "Support"
    assert joined.check_password(NEW_PASSWORD)
    assert guest.get(link).status_code == guest.post(link, right).status_code == 404
    assert set(StaffLogEntry.objects.values_list("action", flat=True)) >= {"colleague.invited", "colleague.joined"}


def test_a_link_runs_out_after_seven_days_and_with_a_newer_one(client: Client) -> None:
    colleagues.sign_in(client, colleagues.in_role(roles.OWNER))
    link = link_in(client.post(INVITE, {"email": "iryna@example.org", "role": roles.SUPPORT}, follow=True))
    invited = User.objects.get(email="iryna@example.org")
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23), tick=False):
        assert Client().get(link).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=5), tick=False):
        assert Client().get(link).status_code == 404
    newer = link_in(client.post(act(invited, "new-link"), follow=True))
    assert Client().get(link).status_code == 404
    assert Client().get(newer).status_code == 200
    client.post(act(invited, "close"))
    assert Client().get(newer).status_code == 404
    for broken in (link[:-6] + "/", "/admin/invitation/x/", "/admin/invitation/%00/"):
        assert Client().get(broken).status_code == 404


def test_a_logged_address_of_an_invitation_has_no_token() -> None:
    record = logging.makeLogRecord({"msg": "Not Found: %s", "args": ("/admin/invitation/MTI6abc:1xY-z/",)})
    assert WithoutTokens().filter(record)
    assert record.getMessage() == "Not Found: /admin/invitation/…/"


def test_nobody_gives_more_than_they_have(client: Client) -> None:
    keeper = colleagues.in_role(roles.SUPPORT, "keeper")
    for right in ("change_user", "add_user", "view_user"):
        keeper.user_permissions.add(Permission.objects.get(codename=right))
    keeper = User.objects.get(pk=keeper.pk)
    assert roles.givable(keeper) == [roles.SUPPORT]
    colleagues.sign_in(client, keeper)
    for role in (roles.OWNER, roles.FINANCE, "Superuser", ""):
        assert client.post(INVITE, {"email": "x@example.org", "role": role}).status_code == 200
    assert not User.objects.filter(email="x@example.org").exists()
    equal, above = colleagues.in_role(roles.SUPPORT, "petro"), colleagues.in_role(roles.MANAGER)
    assert client.post(act(equal, "role"), {"role": roles.OWNER}).status_code == 200
    assert roles.of(equal) == "Support"
    superuser = factories.staff("root")
    for who in (keeper, above, superuser):
        for slug in ("role", "new-link", "sign-out", "close"):
            assert client.post(act(who, slug), {"role": roles.SUPPORT}).status_code == 403, (who, slug)
    assert client.post(act(equal, "close")).status_code == 302


def test_the_old_form_of_rights_is_gone_even_for_a_superuser(client: Client) -> None:
    petro = factories.staff("petro", "members.view_supporter")
    colleagues.sign_in(client)
    page = reverse("admin:auth_user_change", args=[petro.pk])
    client.post(page, {"username": "petro", "is_superuser": "on", "is_staff": "on", "user_permissions": "1"})
    petro.refresh_from_db()
    assert not petro.is_superuser
    assert client.get("/admin/auth/group/").status_code == 404
    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404


def test_an_owner_changes_a_role_resets_a_factor_and_ends_sessions(client: Client) -> None:
    marta = colleagues.in_role(roles.SUPPORT, "marta")
    device = colleagues.second_factor(marta)
    hers = Client()
    hers.post("/admin/login/", {"username": "marta", "password": "a long pass phrase"})
    hers.post("/admin/second-factor/give/", {"code": colleagues.code_of(device)})
    assert hers.get("/admin/members/supporter/").status_code == 200
    colleagues.sign_in(client, colleagues.in_role(roles.OWNER))
    client.post(act(marta, "role"), {"role": roles.VIEWER})
    assert hers.get("/admin/members/supporter/").status_code == 403
    client.post(act(marta, "sign-out"))
    assert hers.get("/admin/").status_code == 302
    client.post(act(marta, "reset-second-factor"))
    assert factor.device_of(marta) is None
    acts = list(StaffLogEntry.objects.filter(target_id=str(marta.pk)).order_by("pk").values_list("action", flat=True))
    assert acts == ["user.role", "user.sign-out", "user.reset-second-factor"]


def test_what_happened_at_sign_in_cannot_be_deleted(client: Client) -> None:
    Client().post("/admin/login/", {"username": "marta", "password": "wrong"})
    colleagues.sign_in(client)
    for name in ("accessattempt", "accesslog"):
        assert client.get(f"/admin/axes/{name}/").status_code == 200
        chosen = {"action": "delete_selected", "_selected_action": "1", "post": "yes"}
        client.post(f"/admin/axes/{name}/", chosen)
    from axes.models import AccessAttempt

    attempt = AccessAttempt.objects.get()
    assert client.post(f"/admin/axes/accessattempt/{attempt.pk}/delete/", {"post": "yes"}).status_code == 403
    assert AccessAttempt.objects.exists()


def test_an_editor_drafts_and_does_not_publish(client: Client) -> None:
    running, draft = factories.campaign("running"), factories.campaign("draft", is_active=False)
    public, quiet = factories.appeal(running, "public"), factories.appeal(draft, "quiet")
    colleagues.sign_in(client, colleagues.in_role(roles.EDITOR))

    def form_of(row: Any) -> str:
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        return client.get(reverse(name, args=[row.pk])).content.decode()

    assert 'name="_save"' not in form_of(running)
    assert 'name="_save"' not in form_of(public)
    for row in (draft, quiet):
        assert 'name="_save"' in form_of(row)
        assert 'name="is_active"' not in form_of(row)
    page = reverse("admin:appeals_campaign_change", args=[running.pk])
    assert client.post(page, {"title": "Mine"}).status_code == 403
    assert client.get("/admin/members/message/letters/").status_code == 200
    assert client.get("/admin/members/message/").status_code == 403


def test_a_viewer_sees_figures_and_no_person(client: Client) -> None:
    factories.payment(factories.supporter(name="Olena"))
    colleagues.sign_in(client, colleagues.in_role(roles.VIEWER))
    shown = client.get("/admin/").content.decode()
    assert "Received this month" in shown
    assert "Active patrons" in shown
    assert "/admin/payments/payment/" not in shown
    assert client.get("/admin/payments/payment/").status_code == 403

"""Which role may open and post to which address of the desk: every address has its row in desk_matrix.txt.

A new address fails here until its row is added. With DESK_MATRIX=write in the environment the table is written anew:
read its difference before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from appeals.models import Appeal, Campaign
from members.models import ApiKey, Level, Membership, Newsroom, StaffLogEntry, Suppression
from members.staff import roles, staff_log
from payments.models import (
    Difference,
    DoorPeriod,
    Erasure,
    HeldRefund,
    Payment,
    Reconciliation,
    RefundRequest,
    RetentionRun,
)
from tests import colleagues, factories
from tests.payments.admin.test_lists import one_of_everything

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).parent / "desk_matrix.txt"
NOBODY = "nobody"
PASSWORD_ONLY = "password"  # an owner who has not given the second factor yet
COLUMNS = [NOBODY, PASSWORD_ONLY, *roles.ROLES]


def rows() -> dict[type, Any]:
    """Return a row of every model that the desk lists."""
    found: dict[type, Any] = dict(one_of_everything())
    paid, actor = found[Payment], colleagues.in_role(roles.VIEWER, "yurii")
    now = timezone.now()
    found[Membership] = Membership.objects.first()
    found[Level] = Level.objects.first()
    found[ApiKey] = ApiKey.objects.create(name="shop", scope="entitlements:read", hashed_key="ab" * 32)
    found[Campaign] = factories.campaign("draft", is_active=False)
    found[Appeal] = factories.appeal(found[Campaign])
    found[RefundRequest] = RefundRequest.objects.create(
        payment=paid, amount=100, reason="duplicate", actor=actor, state="seen"
    )
    found[HeldRefund] = HeldRefund.objects.create(payment=paid, amount=100, reason="duplicate", asked_by=actor)
    found[Reconciliation] = Reconciliation.objects.create(kind="recent", since=now, until=now)
    found[Difference] = Difference.objects.create(
        kind="payment", field="amount", stripe_id="ch_1", ours="1", theirs="2"
    )
    found[Suppression] = Suppression.objects.create(email="gone@example.org", reason="bounced")
    found[Newsroom] = Newsroom.objects.create(version=1, values={"LEGAL_NAME": "The Courier"})
    found[DoorPeriod] = DoorPeriod.objects.create(state="guarded", until=now)
    found[Erasure] = Erasure.objects.create(
        supporter=paid.supporter, state="asked", surface="staff", requested_by=actor
    )
    found[RetentionRun] = RetentionRun.objects.create(counts={"letters": 2})
    found[User] = actor
    found[StaffLogEntry] = staff_log.record(actor, "payment.viewed", paid)
    found[AccessAttempt] = AccessAttempt.objects.create(username="x", failures_since_start=1, attempt_time=now)
    found[AccessLog] = AccessLog.objects.create(username="x", attempt_time=now)
    assert set(admin.site._registry) == set(found), "A model of the desk has no row here."
    return found


def patterns(resolver: Any = None) -> Iterator[URLPattern]:
    for each in admin.site.urls[0] if resolver is None else resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each)
        elif each.name:
            yield each


def address(pattern: URLPattern, known: dict[type, Any]) -> str:
    """Return an address of a pattern, with the row of its model where it names one."""
    name = str(pattern.name)
    row = next(
        (row for model, row in known.items() if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_")),
        None,
    )
    key = quote(row.pk) if row is not None else "1"
    values = {"object_id": key, "pk": key, "kind": "receipt_recurring", "token": "x", "app_label": "payments"}
    values |= {"content_type_id": "1", "url": "nothing"}
    wanted = pattern.pattern.converters or pattern.pattern.regex.groupindex
    return reverse(f"admin:{name}", kwargs={each: values[each] for each in wanted})


def signed_in(name: str) -> str:
    """Return the session of somebody in this role, "" for nobody."""
    if name == NOBODY:
        return ""
    client, is_half = Client(), name == PASSWORD_ONLY
    who = colleagues.in_role(roles.OWNER, "half") if is_half else colleagues.in_role(name)
    if is_half:
        colleagues.second_factor(who)
    colleagues.sign_in(client, who)
    return client.cookies["sessionid"].value


def opens(session: str, method: str, at: str) -> bool:
    """Return whether an address answers this session; what the request changes is rolled back."""
    client = Client()
    client.cookies["sessionid"] = session
    with transaction.atomic():
        answer = client.get(at) if method == "GET" else client.post(at, {"back": "yes"})
        transaction.set_rollback(True)
    doors = ("/admin/login/", "/admin/second-factor/give/")
    is_sent_away = answer.status_code == 302 and answer["Location"].startswith(doors)
    return not is_sent_away and answer.status_code in (200, 302)


def test_every_address_of_the_desk_opens_for_the_roles_in_the_table_alone() -> None:
    known = rows()
    people = {name: signed_in(name) for name in COLUMNS}
    lines = [f"{'address':58}" + "".join(f"{name:9}" for name in COLUMNS).rstrip()]
    for pattern in sorted({str(each.name): each for each in patterns()}.values(), key=lambda each: str(each.name)):
        at = address(pattern, known)
        marks = []
        for name in COLUMNS:
            may = ("r" if opens(people[name], "GET", at) else "-") + ("w" if opens(people[name], "POST", at) else "-")
            marks.append(f"{may:9}")
        lines.append(f"{pattern.name:58}" + "".join(marks).rstrip())
    found = "\n".join(lines) + "\n"
    if os.environ.get("DESK_MATRIX") == "write":
        TABLE.write_text(found)
    assert found.splitlines() == TABLE.read_text().splitlines()


def test_no_role_but_the_owner_may_touch_colleagues_keys_levels_or_the_log() -> None:
    for name, labels in roles.ROLES.items():
        grave = [each for each in labels if each.startswith(("auth.", "members.change_apikey", "members.change_level"))]
        assert not grave or name == roles.OWNER, name
        assert name == roles.OWNER or "members.view_stafflogentry" not in labels

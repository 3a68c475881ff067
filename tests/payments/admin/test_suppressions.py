"""Suppressed addresses: staff see why, see the provider's reports, and can allow emails again."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members import suppressions
from members.models import Suppression, TimelineEntry
from tests import colleagues, factories

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"


def suppressed(reason: str = "bounced") -> Suppression:
    suppressions.suppress("olena@example.org", Suppression.Reason(reason))
    return Suppression.objects.get()


def page_of(row: Suppression, act: str = "change") -> str:
    return reverse(f"admin:members_suppression_{act}", args=[row.pk])


def test_the_page_says_why_whose_it_is_and_what_was_told(client: Client) -> None:
    client.force_login(factories.staff(), backend=BACKEND)
    who = factories.supporter(email="Olena@example.org")
    message = factories.message(who)
    message.reports.create(report_id="x", what="bounced", words="550 no such person", happened_at=timezone.now())
    row = suppressed()
    body = client.get(page_of(row)).content.decode()
    assert "mail to it came back" in body
    assert "550 no such person" in body
    assert reverse("admin:members_supporter_change", args=[who.pk]) in body
    listed = colleagues.search(client, reverse("admin:members_suppression_changelist"), "olena").content.decode()
    assert page_of(row) in listed


def test_lifting_asks_first_and_is_in_the_history(client: Client) -> None:
    client.force_login(factories.staff(), backend=BACKEND)
    who = factories.supporter(email="olena@example.org")
    row = suppressed("complained")
    asked = client.get(page_of(row, "lift")).content.decode()
    assert "called a letter spam" in asked
    assert suppressions.active_suppression("olena@example.org"), "asking changes nothing"
    client.post(page_of(row, "lift"))
    history = client.get(reverse("admin:members_supporter_change", args=[who.pk])).content.decode()
    assert "Nothing is sent to the address any more" in history
    assert "Letters go to the address again" in history
    assert suppressions.active_suppression("olena@example.org") is None
    assert who.timeline.filter(action="address.suppression_lifted").count() == 1
    client.post(page_of(row, "lift"))
    assert TimelineEntry.objects.filter(action="address.suppression_lifted").count() == 1


def test_whoever_may_only_look_lifts_nothing(client: Client) -> None:
    client.force_login(factories.staff("petro", "members.view_suppression"), backend=BACKEND)
    row = suppressed()
    assert client.get(page_of(row)).status_code == 200
    assert client.post(page_of(row, "lift")).status_code == 403
    assert suppressions.active_suppression("olena@example.org")

"""At the desk: all data in one file; a person is erased when one of staff has asked and another has confirmed."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from members.models import Supporter, TimelineEntry
from payments.models import Erasure, RetentionRun, Subscription
from payments.rights import ageing, erasing
from tests import colleagues, factories
from tests.stage import Stage

pytestmark = pytest.mark.django_db
MAY = ("members.view_supporter", "members.change_supporter", "payments.view_erasure", "payments.change_erasure")


def signed_in(name: str, *permissions: str) -> Client:
    client = Client()
    colleagues.sign_in(client, factories.staff(name, *permissions))
    return client


def act(row, slug: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{slug}", args=[row.pk])


def page(client: Client, row) -> str:
    return client.get(act(row, "change")).content.decode()


class TestErasing:
    def test_one_asks_another_confirms(self, stage: Stage) -> None:
        stage.join("month")
        who, marta, petro = Supporter.objects.get(), signed_in("marta"), signed_in("petro")
        asked = marta.get(act(who, "erase")).content.decode()
        assert "1 recurring gift ends at once." in asked
        assert "Their customers at Stripe are deleted: 1." in asked
        marta.post(act(who, "erase"), {"when": "now"})
        erasure = Erasure.objects.get()
        assert (erasure.state, erasure.requested_by.username) == ("asked", "marta")
        assert act(who, "erase") not in page(marta, who), "once is enough"

        refused = marta.post(act(erasure, "confirm")).content.decode()
        assert "Somebody else has to confirm it." in refused
        assert Supporter.objects.get().email == "olena@example.org"

        assert "Asked for by marta" in petro.get(act(erasure, "confirm")).content.decode()
        petro.post(act(erasure, "confirm"))
        erasure.refresh_from_db()
        assert (erasure.state, erasure.confirmed_by.username) == ("at_stripe", "petro")
        who.refresh_from_db()
        assert who.erased_at
        assert erasing.carry_out_due() == 1
        stage.settle_down()
        assert Subscription.objects.get().status == "canceled"
        shown = page(petro, who)
        assert "An erased person" in shown
        assert "erased.invalid" not in shown.split("<table")[0]
        for slug in ("erase", "correct-address"):
            assert act(who, slug) not in shown
        assert set(LogEntry.objects.values_list("change_message", flat=True)) == {"erase", "confirm"}
        assert "olena" not in "".join(LogEntry.objects.values_list("object_repr", flat=True))
        assert "erased" in marta.get(reverse("admin:members_supporter_changelist")).content.decode()

    def test_after_a_day_and_called_off(self) -> None:
        who, marta, petro = factories.supporter(), signed_in("marta"), signed_in("petro")
        marta.post(act(who, "erase"), {"when": "day"})
        erasure = Erasure.objects.get()
        petro.post(act(erasure, "confirm"))
        erasure.refresh_from_db()
        assert erasure.state == "planned"
        assert erasing.carry_out_due() == 0
        assert erasure.due_at - erasure.requested_at > timedelta(hours=23)
        marta.post(act(erasure, "call-off"))
        erasure.refresh_from_db()
        assert erasure.state == "called_off"
        assert act(erasure, "confirm") not in page(petro, erasure)
        assert act(who, "erase") in page(petro, who)

    @pytest.mark.parametrize("slug", ["erase", "export"])
    def test_not_without_the_right(self, slug: str) -> None:
        who, nosy = factories.supporter(), signed_in("nosy", *MAY)
        assert act(who, slug) not in page(nosy, who)
        assert nosy.post(act(who, slug), {"when": "now"}).status_code == 403
        assert not Erasure.objects.exists()
        erasure = erasing.ask(who, "staff", actor=factories.staff("marta"), needs_second=True)
        for each in ("confirm", "call-off"):
            assert nosy.post(act(erasure, each)).status_code == 403
        erasure.refresh_from_db()
        assert erasure.state == "asked"

    def test_with_the_right(self) -> None:
        who = factories.supporter()
        allowed = signed_in("petro", *MAY, "payments.erase_person")
        erasure = erasing.ask(who, "staff", actor=factories.staff("marta"), needs_second=True)
        assert allowed.post(act(erasure, "confirm")).status_code == 302
        who.refresh_from_db()
        assert who.erased_at


class TestExport:
    def test_one_file_of_one_person(self) -> None:
        who, other = factories.supporter(name="Олена Коваль"), factories.supporter(name="Тарас Гнатюк")
        factories.payment(who)
        factories.payment(other)
        marta = signed_in("marta")
        assert "Give it only to the person themselves" in marta.get(act(who, "export")).content.decode()
        answer = marta.post(act(who, "export"))
        assert answer["Content-Disposition"] == f'attachment; filename="export-{who.public_id}.zip"'
        assert "no-store" in answer["Cache-Control"]
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            texts = {name.rpartition(".")[2]: archive.read(name).decode() for name in archive.namelist()}
        assert set(texts) == {"html", "json"}
        assert json.loads(texts["json"])["parts"]
        for text in texts.values():
            assert "Олена Коваль" in text
            assert "Тарас" not in text
        entry = TimelineEntry.objects.get(supporter=who)
        assert (entry.action, entry.actor.username) == ("supporter.exported", "marta")


def test_staff_see_what_was_removed() -> None:
    factories.checkout(attempt_at="2020-01-01T00:00Z")
    ageing.run()
    run, marta = RetentionRun.objects.get(), signed_in("marta")
    assert "Attempts to give without money" in page(marta, run)
    assert marta.get(reverse("admin:payments_retentionrun_changelist")).status_code == 200

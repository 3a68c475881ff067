"""An export holds everything about one person and nothing about another; its files are for one pair of eyes."""

from __future__ import annotations

import json
import uuid
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from members.models import Message, TimelineEntry
from payments.models import Difference
from payments.rights import export, people
from payments.rights.map import MAP
from tests import factories
from tests.payments.rights import planted
from tests.stage import Stage

pytestmark = pytest.mark.django_db


def two_people() -> tuple[planted.Planted, planted.Planted]:
    """Two people, each with a word in every field; a difference of each is about their own payment."""
    found = planted.person("zqa"), planted.person("zqb")
    for made in found:
        Difference.objects.filter(pk=made.rows[Difference].pk).update(
            stripe_id=made.words["Payment", "stripe_payment_intent_id"]
        )
        made.words["Difference", "stripe_id"] = made.words["Payment", "stripe_payment_intent_id"]
    return found


def withheld() -> set[tuple[str, str]]:
    return {(kept.model.__name__, name) for kept in MAP for name, line in kept.lines.items() if not line.is_given}


def test_every_field_of_the_map_is_in_it_and_no_word_of_another_person() -> None:
    olena, taras = two_people()
    made = export.make(people.of(olena.supporter), "command")
    for text in (made.data, made.page):
        absent = {place for place, word in olena.words.items() if word not in text}
        assert absent == withheld()
        assert [place for place, word in taras.words.items() if word in text] == []
        assert "zqb" not in text
        assert "zqasecret" not in text
    assert olena.supporter.email not in made.name


def test_what_gives_access_is_left_out() -> None:
    assert withheld() == {("Checkout", "stripe_session_url"), ("PortalVisit", "stripe_params")}


def test_whoever_only_began_a_gift_gets_that() -> None:
    factories.checkout(email="Nadia@Example.org", name="Nadia", stripe_session_id="cs_nadia")
    factories.checkout(email="other@example.org", name="Other")
    factories.message(to_email="nadia@example.org", stream="staff", subject="An alert for staff")
    made = export.make(people.find("nadia@example.org"), "command")
    assert "Nadia@Example.org" in made.data
    assert "cs_nadia" in made.data
    assert "Other" not in made.data
    assert "An alert for staff" not in made.data


def test_a_person_is_found_by_address_or_public_id() -> None:
    who = factories.supporter(email="olena@example.org")
    assert people.find("Olena@Example.org ").supporter == who
    assert people.find(str(who.public_id)).supporter == who


@pytest.mark.parametrize("unknown", ["nobody@example.org", str(uuid.UUID(int=7)), "", "олена@приклад.укр"])
def test_of_an_unknown_person_there_is_nothing(unknown: str) -> None:
    with pytest.raises(people.NobodyKnown):
        people.find(unknown)


def test_whole_life_of_a_gift(stage: Stage) -> None:
    stage.join("month", email="olena@example.org", name="Олена Коваль")
    stage.join("once", email="taras@example.org", name="Тарас Гнатюк")
    stage.advance(32)
    data = json.loads(export.make(people.find("olena@example.org"), "command").data)
    rows = {part["model"]: len(part["rows"]) for part in data["parts"]}
    assert rows["payments.Payment"] == 2
    assert rows["members.Message"] == Message.objects.filter(supporter__email="olena@example.org").count() == 2
    assert rows["payments.StripeEvent"] > 5
    whole = json.dumps(data, ensure_ascii=False)
    assert "Олена" in whole
    assert "taras" not in whole
    assert "Тарас" not in whole


class TestCommand:
    def test_two_files_that_only_their_owner_can_read(self, tmp_path: Path) -> None:
        who = factories.supporter(email="olena@example.org", name="Олена Коваль")
        said = StringIO()
        call_command("export_person", "olena@example.org", to=str(tmp_path), stdout=said)
        paths = [Path(line) for line in said.getvalue().split()]
        assert [path.suffix for path in paths] == [".json", ".html"]
        assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
        assert json.loads(paths[0].read_text())["parts"]
        assert "<h1>" in paths[1].read_text()
        assert "Олена Коваль" in paths[1].read_text()
        assert "olena" not in said.getvalue()
        assert TimelineEntry.objects.get(supporter=who).action == "supporter.exported"

    def test_it_writes_over_nothing(self, tmp_path: Path) -> None:
        factories.supporter(email="olena@example.org")
        call_command("export_person", "olena@example.org", to=str(tmp_path), stdout=StringIO())
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("export_person", "olena@example.org", to=str(tmp_path), stdout=StringIO())

    def test_nobody_and_no_folder_are_said(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="Nothing is kept"):
            call_command("export_person", "nobody@example.org", to=str(tmp_path))
        with pytest.raises(CommandError, match="no such folder"):
            call_command("export_person", "nobody@example.org", to=str(tmp_path / "none"))

"""One person has one address, however its domain is spelled; a letter that looks like another is nobody else's."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from members import addresses, people, suppressions
from members.models import Supporter, Suppression
from members.people import get_and_lock
from project.doctor import Level, running
from tests import factories

IN_ASCII = "olena@xn--80a1acn3a.xn--j1amh"
IN_UNICODE = "olena@пошта.укр"
KELVIN = "\u212aateryna@example.org"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (IN_UNICODE, IN_ASCII),
        ("olena@ПОШТА.УКР", IN_ASCII),
        ("olena@пошта。укр", IN_ASCII),
        (IN_ASCII, IN_ASCII),
        ("olena@straße.de", "olena@xn--strae-oqa.de"),
        ("Olena+News@Example.ORG", "Olena+News@Example.ORG"),
        ("  o@example.org ", "o@example.org"),
        ("o@\u2603.example", "o@\u2603.example"),
        ("olena", "olena"),
        ("", ""),
    ],
)
def test_a_domain_is_kept_in_ascii_by_idna_2008(typed: str, kept: str) -> None:
    assert addresses.normal(typed) == kept
    assert addresses.normal(kept) == kept


@pytest.mark.parametrize("kept", [IN_ASCII, "o@example.org", "o@xn--a", "olena", ""])
def test_people_read_a_domain_in_its_own_script(kept: str) -> None:
    assert addresses.readable(kept) == (IN_UNICODE if kept == IN_ASCII else kept)


@pytest.mark.django_db
def test_both_spellings_of_a_domain_are_one_person() -> None:
    first = get_and_lock(IN_UNICODE)
    assert first.email == IN_ASCII
    assert get_and_lock(IN_ASCII.upper()) == first
    assert list(Supporter.objects.with_email("OLENA@пошта.УКР")) == [first]
    suppressions.suppress(IN_UNICODE, Suppression.Reason.BOUNCED)
    assert suppressions.active_suppression(IN_ASCII)


@pytest.mark.django_db
def test_a_letter_that_looks_like_another_finds_nobody() -> None:
    kateryna = factories.supporter(email="kateryna@example.org")
    assert KELVIN.lower() == kateryna.email, "what makes it dangerous"
    assert not Supporter.objects.with_email(KELVIN).exists()


@pytest.mark.django_db
def test_staff_correct_to_an_address_in_ascii() -> None:
    who, staff = factories.supporter(), factories.staff()
    assert people.correct_address(who, IN_UNICODE, staff).email == IN_ASCII
    with pytest.raises(ValidationError):
        people.correct_address(who, KELVIN, staff)


@pytest.mark.django_db
def test_the_doctor_names_an_address_outside_ascii_by_its_supporters_number() -> None:
    [found] = running.addresses()
    assert found.level == Level.OK
    who = factories.supporter(email=KELVIN)
    [found] = running.addresses()
    assert (found.level, f"#{who.pk}" in found.words, "example.org" in found.words) == (Level.WARN, True, False)

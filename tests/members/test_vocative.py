"""The Ukrainian vocative of first names."""

from __future__ import annotations

import pytest

from members.vocative import vocative

CALLED = {
    "Олена": "Олено",
    "Ірина": "Ірино",
    "Наталія": "Наталіє",
    "Софія": "Софіє",
    "Дар’я": "Дар’є",
    "Дар'я": "Дар’є",
    "Зоя": "Зоє",
    "Катя": "Катю",
    "Наталя": "Наталю",
    "Любов": "Любове",
    "Анна-Марія": "Анно-Маріє",
    "Микола": "Миколо",
    "Ілля": "Ілле",
    "Марко": "Марку",
    "Петро": "Петре",
    "Дмитро": "Дмитре",
    "Павло": "Павле",
    "Тарас": "Тарасе",
    "Богдан": "Богдане",
    "Олександр": "Олександре",
    "Ігор": "Ігорю",
    "Андрій": "Андрію",
    "Василь": "Василю",
    "Марк": "Марку",
    "Олег": "Олеже",
    "Федір": "Федоре",
    "Володимир": "Володимире",
}


@pytest.mark.parametrize(("name", "called"), CALLED.items())
def test_ukrainian_names_take_the_case_people_are_called_in(name: str, called: str) -> None:
    assert vocative(name, "uk") == called


@pytest.mark.parametrize(
    "name", ["Anna", "Ніколь", "Кармен", "Анастасия", "Сергеевы", "Анрі", "ОЛЕНА", "О", "", "👋", "-"]
)
def test_a_name_the_rules_do_not_know_stays_as_it_was_typed(name: str) -> None:
    assert vocative(name, "uk") == name


def test_other_languages_have_no_such_case() -> None:
    assert vocative("Олена", "en") == "Олена"

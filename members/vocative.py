"""The Ukrainian vocative case of first names: Олена becomes Олено, as in "Дякуємо, Олено".

Rules by the last letters of a name, with exceptions; a name without a rule stays as typed. Called by the template
filters in payments/templatetags/letters.py.
"""

from __future__ import annotations

import re

_KNOWN = {
    "ілля": "ілле",
    "любов": "любове",
    "ігор": "ігорю",
    "лазар": "лазарю",
    "олег": "олеже",
    "федір": "федоре",
    "антін": "антоне",
    "прокіп": "прокопе",
    "сидір": "сидоре",
    "лев": "леве",
    "яків": "якове",
    "прохір": "прохоре",
    "тихін": "тихоне",
    "нестір": "несторе",
}
# Women's and foreign names that do not change, although they end like men's names that do.
_UNCHANGED = {
    "ірен",
    "елен",
    "хелен",
    "кармен",
    "едіт",
    "елізабет",
    "естер",
    "маргарет",
    "мерседес",
    "карін",
    "доріс",
    "жасмін",
    "рут",
    "кетрін",
    "сьюзан",
    "енн",
    "бруно",
    "лео",
    "тео",
    "іво",
    "гуго",
    "аріель",
}
# Ending and its replacement (None: the name does not change). The first ending that matches decides.
_RULES = tuple(
    (re.compile(ending), put)
    for ending, put in (
        (r"ия$", None),  # another language's spelling
        (r"(?<=[аеіоуюєїйь’])я$", "є"),  # Марія, Дар’я
        (r"я$", "ю"),  # Катя
        (r"а$", "о"),  # Олена, Микола
        (r"[еоі]ль$", None),  # Ніколь and Даніель: a woman or a man
        (r"[йь]$", "ю"),  # Андрій, Василь
        (r"(?<=к)о$", "у"),  # Марко
        (r"(?<=[бвгґджзйклмнпрстфхцчшщ])о$", "е"),  # Петро
        (r"(?<=[гґкх])$", "у"),  # Марк
        (r"(?<=[бвджзлмнпрстфцчшщ])$", "е"),  # Іван
    )
)
_UKRAINIAN = re.compile(r"[абвгґдеєжзиіїйклмнопрстуфхцчшщьюя’]+")


def vocative(name: str, language: str) -> str:
    """Return a first name in the vocative, if the language is Ukrainian and a rule applies; else the name as typed."""
    if not language.startswith("uk"):
        return name
    return "-".join(_called(part) for part in name.split("-"))


def _called(name: str) -> str:
    plain = name.replace("'", "’").replace("ʼ", "’")
    small = plain.lower()
    if not _UKRAINIAN.fullmatch(small) or len(small) < 2 or plain[1:] != small[1:] or small in _UNCHANGED:
        return name
    called = _KNOWN.get(small) or _by_rule(small)
    return plain[0] + called[1:]


def _by_rule(small: str) -> str:
    for ending, put in _RULES:
        if ending.search(small):
            return small if put is None else ending.sub(put, small)
    return small

"""The privacy map is whole: no field that could hold personal data is without a line or an explicit "nothing"."""

from __future__ import annotations

from collections import Counter

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from members.rights.lines import Erase
from payments.rights.map import MAP

# Fields of these kinds can hold what somebody typed, or an id of somebody.
COULD_HOLD = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.UUIDField,
    models.GenericIPAddressField,
    models.FileField,
)
OURS = ("members", "appeals", "payments")


def could_hold(field: models.Field) -> bool:
    """A field with choices can only hold one of ours."""
    if isinstance(field, ArrayField):
        return could_hold(field.base_field)
    return isinstance(field, COULD_HOLD) and not field.choices


def wanted(model: type[models.Model]) -> set[str]:
    return {field.name for field in model._meta.concrete_fields if could_hold(field)}


def missing(model: type[models.Model]) -> set[str]:
    found = [kept for kept in MAP if kept.model is model]
    return wanted(model) - {name for kept in found for name in (*kept.lines, *kept.nothing)}


def test_every_field_that_could_hold_personal_data_has_a_line() -> None:
    bare = {
        f"{model.__name__}.{name}"
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        for name in missing(model)
    }
    assert bare == set(), "Give each a line in the privacy map of its app, or name it in `nothing`."


def test_a_new_field_without_a_line_is_found() -> None:
    class Diary(models.Model):
        words = models.TextField()
        network = models.GenericIPAddressField()
        mood = models.CharField(max_length=9, choices=[("good", "good")])
        guests = ArrayField(models.EmailField())
        pages = models.IntegerField()

        class Meta:
            app_label = "diaries"

    assert missing(Diary) == {"words", "network", "guests"}


def test_every_line_is_about_a_field_that_exists_and_says_why() -> None:
    for kept in MAP:
        names = {field.name for field in kept.model._meta.concrete_fields}
        assert {*kept.lines, *kept.nothing} <= names, kept.model
        assert not set(kept.lines) & set(kept.nothing), kept.model
        assert bool(kept.lines) == (kept.of is not None), kept.model
        assert all(line.purpose for line in kept.lines.values()), kept.model


def test_a_model_has_one_table() -> None:
    counted = Counter(kept.model for kept in MAP)
    assert [model for model, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("kept", [kept for kept in MAP if kept.lines], ids=lambda kept: kept.model.__name__)
def test_a_row_is_removed_whole_or_not_at_all(kept) -> None:
    rules = {line.erase for line in kept.lines.values()}
    assert rules == {Erase.ROW} or Erase.ROW not in rules

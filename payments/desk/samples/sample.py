"""What a sample is: a kind of letter, when it is sent, and its cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from members.models import Message
from payments.desk.samples.rows import Giver

Make = Callable[[Giver], Message | None]


@dataclass(frozen=True)
class Variant:
    """`label`: how staff choose it among the cases of its kind."""

    label: Any
    make: Make


@dataclass(frozen=True)
class Sample:
    """`when`: one line for staff. `cases`: by name, the usual one first."""

    when: Any
    cases: dict[str, Variant]


USUAL = _("The usual case")


def always(when: Any, make: Make) -> Sample:
    return Sample(when, {"usual": Variant(USUAL, make)})

"""The types of a sample: a kind of email, when it is sent, and its cases."""

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
    """A case of a kind. `label`: its name for staff; `make`: builds the email for a sample supporter."""

    label: Any
    make: Make


@dataclass(frozen=True)
class Sample:
    """A kind of email. `when`: when it is sent, one line for staff; `cases`: by name, the usual one first."""

    when: Any
    cases: dict[str, Variant]


USUAL = _("The usual case")


def always(when: Any, make: Make) -> Sample:
    """Return a sample with a single case."""
    return Sample(when, {"usual": Variant(USUAL, make)})

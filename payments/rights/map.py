"""The whole privacy map: the tables of all apps, and the lines of a field. Export and erasing go through it in order.

The words about each field are in the tables; docs/privacy.md tells the same by model.
"""

from __future__ import annotations

from appeals import privacy
from members.rights import kept
from members.rights.lines import Kept
from payments.rights import kept_gifts, kept_guarding, kept_machinery, kept_requests

MAP: tuple[Kept, ...] = (
    *kept.KEPT,
    *kept_gifts.KEPT,
    *kept_requests.KEPT,
    *kept_guarding.KEPT,
    *kept_machinery.KEPT,
    *privacy.KEPT,
)

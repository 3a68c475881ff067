"""The pace of sending: at most MAIL_PER_SECOND emails a second, for all senders of all processes together.

Called by sweep.py and tasks.py before a message is claimed, so that after the wait the most urgent message is claimed.
"""

from __future__ import annotations

import time

from django.conf import settings

from members import limits


def wait(line: str = "mail") -> None:
    """Sleep until the next email may be sent; return immediately if MAIL_PER_SECOND is 0.

    `line` names the shared queue in Redis. Without Redis, each process keeps a queue of its own, at a quarter of the
    pace.
    """
    if settings.MAIL_PER_SECOND > 0:
        time.sleep(limits.place(line, settings.MAIL_PER_SECOND))

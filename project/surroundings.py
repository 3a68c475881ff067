"""What a `manage.py` command finds in its environment before settings are read: servers, keys, DEBUG.

A given variable always wins. What is missing comes from the `make run` on the same DATA_DIR, then from servers of
our own, for as long as the command runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from project import embedded
from project.decisions import follow
from project.embedded import CannotStart

__all__ = ["CannotStart", "surroundings"]

WITHOUT_SERVERS = frozenset(
    """check collectstatic compilemessages diffsettings findstatic help makemessages run spectacular startapp
    version""".split()  # noqa: SIM905 a list of words reads better as words
)


def needs_servers(argv: Sequence[str]) -> bool:
    """Whether a command line may touch the database or Redis. Unknown commands may."""
    words = [word for word in argv[1:] if not word.startswith("-")]
    if not words or {"-h", "--help", "--version"} & set(argv):
        return False
    return words[0] not in WITHOUT_SERVERS or "--database" in argv


@contextmanager
def surroundings(argv: Sequence[str]) -> Iterator[None]:
    """Everything the command needs, for as long as it runs. Raises CannotStart."""
    if argv[1:2] == ["run"]:
        # The rest is decided by the command itself, once it knows that no other run is there.
        os.environ["DEBUG"] = os.environ.get("DEBUG") or "1"
        yield
        return
    follow(embedded.data_dir(), os.environ)
    if not needs_servers(argv):
        yield
        return
    with embedded.running(embedded.data_dir()):
        yield

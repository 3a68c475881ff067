"""The environment of a `manage.py` command, completed before settings are read: servers, keys, DEBUG.

Used by manage.py.
Variables that are set always win. Missing ones come from a `make run` on the same DATA_DIR, then from the embedded
servers, which run for as long as the command does.
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
    version""".split()  # noqa: SIM905 a list of names is easier to read this way
)


def needs_servers(argv: Sequence[str]) -> bool:
    """Return whether a command line may use the database or Redis. Unknown commands may."""
    words = [word for word in argv[1:] if not word.startswith("-")]
    if not words or {"-h", "--help", "--version"} & set(argv):
        return False
    return words[0] not in WITHOUT_SERVERS or "--database" in argv


@contextmanager
def surroundings(argv: Sequence[str]) -> Iterator[None]:
    """Provide the environment and servers that a command needs while the block runs. Raises CannotStart."""
    if argv[1:2] == ["run"]:
        # The command itself chooses the other settings, once it knows that there is no other run.
        os.environ["DEBUG"] = os.environ.get("DEBUG") or "1"
        yield
        return
    follow(embedded.data_dir(), os.environ)
    if not needs_servers(argv):
        yield
        return
    with embedded.running(embedded.data_dir()):
        yield

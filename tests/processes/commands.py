"""Management commands for a theatre, each in a process of its own that has imported Django already.

`Commands` is the test's side. What it starts is this module as a program: it imports everything once, then forks for
each line it reads, and ends with the pipe. The command itself is the one of `manage.py`, word for word.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from typing import NoReturn

import django
from django.core.checks import run_checks
from django.core.management import execute_from_command_line

from project.embedded import BASE_DIR

SECONDS = 120


class Commands:
    """The program that runs them, begun with the first one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, words: tuple[str, ...], environment: Mapping[str, str]) -> tuple[int, str]:
        """Run `manage.py` with these words; its exit code and all it wrote."""
        if self._process is None or self._process.poll() is not None:
            argv = [sys.executable, "-m", "tests.processes.commands"]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(argv, cwd=BASE_DIR, env=environment, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(words), file=self._process.stdin, flush=True)
        code, output = json.loads(self._process.stdout.readline())
        return code, output

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


def main() -> None:
    django.setup()
    run_checks()  # as each command does: what the checks import is there for all of them
    for line in sys.stdin:
        print(json.dumps(_in_a_child(json.loads(line))), flush=True)


def _in_a_child(words: list[str]) -> tuple[int, str]:
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.close(writing)
        _carry_out(words)
    os.close(writing)
    with os.fdopen(reading, errors="replace") as said:
        output = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), output


def _carry_out(words: list[str]) -> NoReturn:
    code = 1
    try:
        execute_from_command_line(["manage.py", *words])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()

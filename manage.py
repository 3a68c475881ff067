#!/usr/bin/env python
"""Django's command line. If no database address is set, embedded servers run for as long as the command does."""

import os
import sys


def main() -> None:
    """Complete the environment (project/surroundings.py), then run the command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    try:
        from django.core.management import execute_from_command_line

        from project.surroundings import CannotStart, surroundings
    except ModuleNotFoundError as missing:
        sys.exit(f"{missing.name} is not installed here: use .venv/bin/python, which `make run` creates.")
    try:
        with surroundings(sys.argv):
            if sys.argv[1:2] == ["run"]:
                # Without setting up the apps, which takes a second and which it does not use.
                from project.management.commands.run import Command

                Command().run_from_argv(sys.argv)
            else:
                execute_from_command_line(sys.argv)
    except CannotStart as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()

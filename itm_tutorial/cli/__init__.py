"""The ``itm`` command: the course from a terminal. Exit codes: 0 success, 1 failed check, 2 user error."""

from itm_tutorial.cli import course, models  # noqa: F401, which add their commands
from itm_tutorial.cli.app import app, app_of_commands

__all__ = ["app", "app_of_commands"]

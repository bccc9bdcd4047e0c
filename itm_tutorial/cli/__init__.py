"""The ``itm`` command: the course from a terminal. Exit codes: 0 done, 1 a check failed, 2 something to mend."""

from itm_tutorial.cli import course, models  # noqa: F401, which add their commands
from itm_tutorial.cli.app import app, app_of_commands

__all__ = ["app", "app_of_commands"]

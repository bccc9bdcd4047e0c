"""The package imports on Windows: it names no module and no function that only Unix has."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "itm_tutorial"
UNIX_MODULES = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
UNIX_NAMES = {  # module -> names that it lacks on Windows
    "os": {"fork", "forkpty", "getuid", "geteuid", "getgid", "getpgid", "killpg", "mkfifo", "nice", "setsid", "statvfs"}
    | {"chown", "fchmod", "fchown", "getloadavg", "sched_getaffinity", "sysconf", "uname", "WNOHANG", "O_NOFOLLOW"},
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm", "pause"},
    "time": {"tzset"},
}


def unix_only(text):
    """Line and name of every use of what only Unix has; one that ``hasattr`` or ``getattr`` asks for first is fine."""
    tree = ast.parse(text)
    asked = {
        (node.args[0].id, node.args[1].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("hasattr", "getattr")
        if isinstance(node.args[0], ast.Name) and isinstance(node.args[1], ast.Constant)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names if alias.name in UNIX_MODULES]
        elif isinstance(node, ast.ImportFrom):
            lacking = UNIX_NAMES.get(node.module, set())
            names = [node.module] if node.module in UNIX_MODULES else [a.name for a in node.names if a.name in lacking]
            found += [(node.lineno, name) for name in names]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            use = (node.value.id, node.attr)
            if node.attr in UNIX_NAMES.get(node.value.id, ()) and use not in asked:
                found.append((node.lineno, ".".join(use)))
    return found


def test_the_package_uses_nothing_that_only_unix_has():
    found = {str(file): unix_only(file.read_text(encoding="utf-8")) for file in sorted(PACKAGE.rglob("*.py"))}
    assert len(found) > 100
    assert {file: uses for file, uses in found.items() if uses} == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import os, fcntl", "fcntl"),
        ("def f():\n    import resource", "resource"),
        ("try:\n    from pwd import getpwuid\nexcept ImportError:\n    pass", "pwd"),
        ("from os import getuid", "getuid"),
        ("import os\nos.fork()", "os.fork"),
        ("import signal\nhandlers = {signal.SIGKILL: print}", "signal.SIGKILL"),
    ],
)
def test_what_only_unix_has_would_be_found(text, name):
    assert [use for _, use in unix_only(text)] == [name]


def test_what_is_asked_for_first_is_fine():
    assert unix_only("import os\nn = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else 1") == []
    assert unix_only("import os, signal\nos.getpid(), signal.SIGTERM, os.kill, os.replace") == []

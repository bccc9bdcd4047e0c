"""A real browser, and one JupyterLab for all notebooks. Where either is missing, all of these tests are skipped."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "build" / "browser"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SETTINGS = {  # of JupyterLab: every cell stays in the page, and nothing is asked or fetched
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none", "scrollPastEnd": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@pytest.fixture(scope="session")
def browser():
    """Chromium, driven by Playwright; ITM_BROWSER names another executable."""
    path = os.environ.get("ITM_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        sync_playwright = None
    if path is None or sync_playwright is None:
        pytest.skip("no browser tests: pip install playwright, and Chromium (apt-get install chromium) or ITM_BROWSER")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=0)
        SHOTS.mkdir(parents=True, exist_ok=True)
        yield running
        running.close()


@pytest.fixture
def page(browser):
    """A page of its own window; ``page.complaints`` lists what the console calls an error."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, locale="en-GB")
    made = context.new_page()
    made.set_default_timeout(0)  # a slow machine is waited for
    made.set_default_navigation_timeout(0)
    made.complaints = []
    made.on("console", lambda message: made.complaints.append(_said(message)) if message.type == "error" else None)
    made.on("pageerror", lambda error: made.complaints.append(f"{error}"))
    yield made
    context.close()


def _said(message) -> str:
    return f"{message.text} ({message.location.get('url', '')})"


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """JupyterLab with copies of the notebooks, at their smallest size: ``url(name)``, ``pid``, ``add(name, cell)``."""
    pytest.importorskip("jupyterlab", reason="no browser tests: pip install jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        shutil.copy(file, folder)
    for name, values in SETTINGS.items():
        file = folder / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "ServerApp.allow_root": True,
        "ServerApp.open_browser": False,
        "IdentityProvider.token": token,
        "LabApp.expose_app_in_browser": True,
        "LabApp.user_settings_dir": folder / "settings",
        "LabApp.workspaces_dir": folder / "workspaces",
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {"ITM_FAST": "1", "ITM_PROGRESS": "1", "PYTHONPATH": python_path}
    environment |= {"JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_PLATFORM_DIRS": "1"}
    log = (folder / "lab.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())],
        env={**os.environ, **environment},
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
    )
    try:
        _wait_until_it_answers(port, server, folder / "lab.log")
        yield SimpleNamespace(
            url=lambda name: f"http://127.0.0.1:{port}/lab/tree/{name}.ipynb?reset&token={token}",
            pid=server.pid,
            add=lambda name, cell: _write(folder / f"{name}.ipynb", cell),
        )
    finally:
        from itm_tutorial.course.patience import end

        end(server.pid)  # with its kernels
        server.wait()
        log.close()


def _write(file: Path, cell: str) -> None:
    """Writes a notebook of one cell."""
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, file)


def _wait_until_it_answers(port: int, server: subprocess.Popen, log: Path) -> None:
    import time

    while True:
        assert server.poll() is None, log.read_text()
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)

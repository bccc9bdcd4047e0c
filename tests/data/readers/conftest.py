"""What the tests of readers share: published layouts in small, and a cache of their own."""

import importlib.util
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("reader_layouts", Path(__file__).with_name("layouts.py"))
LAYOUTS = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(LAYOUTS)


def pytest_generate_tests(metafunc):
    """A test that takes ``layout`` runs on every one."""
    if "layout" in metafunc.fixturenames and "layout" not in str(metafunc.definition.get_closest_marker("parametrize")):
        metafunc.parametrize("layout", sorted(LAYOUTS.ALL))


@pytest.fixture
def layouts():
    """The module of factories."""
    return LAYOUTS


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache for one test."""
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ITM_PROGRESS", "0")
    return tmp_path / "cache"

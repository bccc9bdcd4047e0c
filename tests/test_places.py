"""Paths in notebooks: the same file from any working folder."""

from pathlib import Path

import itm_tutorial as itm
from itm_tutorial.storage import course_folder, places

ROOT = Path(__file__).parents[1]


def test_a_relative_path_starts_at_the_course_and_not_at_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert itm.in_course("runs/leaderboard.jsonl") == ROOT / "runs/leaderboard.jsonl"
    assert itm.in_course(tmp_path / "a.jsonl") == tmp_path / "a.jsonl"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert itm.in_course("~/a.jsonl") == tmp_path / "a.jsonl"


def test_without_a_checkout_it_starts_at_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "__file__", str(tmp_path / "lib/itm_tutorial/storage/places.py"))
    monkeypatch.chdir(tmp_path)
    assert course_folder() == tmp_path

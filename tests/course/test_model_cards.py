"""The model cards: one per class, up to date, and with the content of their sources."""

import re

import pytest

import itm_tutorial as itm
from itm_tutorial.chapters import experiment
from itm_tutorial.course import model_cards
from itm_tutorial.errors import ItmError
from itm_tutorial.models import model_class

CARDS = model_cards.card_names()


def test_no_card_has_drifted_and_every_model_has_one():
    drifted = model_cards.build_cards(check=True)
    assert drifted == [], f"run {model_cards.COMMAND}"
    assert sorted(name for names in CARDS.values() for name in names) == sorted(itm.list_models())


@pytest.mark.parametrize("name", CARDS)
def test_a_card_holds_what_its_sources_say(name):
    text, cls = model_cards.card(name), model_class(CARDS[name][0])
    assert text.startswith(f"# {cls.__name__}\n") and "None |" not in text
    for part in ("Paper", "Use", "Options", "Recipes", "Published results", "Measured here"):
        assert text.count(f"## {part}\n") == 1
    for made in CARDS[name]:
        assert f"itm.create_model('{made}', corpus)" in text
    options = re.findall(r"^\| `(\w+)` \| (.+?) \| (.*?) \|$", text, re.MULTILINE)
    assert all(description for _, _, description in options), "an option that the docstring leaves out"


def test_cards_by_hand():
    vsepp = model_cards.card("vsepp")
    assert "Faghri et al., BMVC 2018. Chapter 02." in vsepp and "`faghri2018vsepp`" in vsepp
    assert "`itm.create_model('vse0', corpus)`: `max_violation=False`, `no_imgnorm=True`" in vsepp
    assert "| `margin` | `0.2` | of the hinge (0.2 in the paper). |" in vsepp
    assert "| Flickr30K | VSE++ | ResNet | 52.9 | 80.5 | 87.2 | 39.6 | 70.1 | 79.5 |" in vsepp
    effect = itm.claims.results("vsepp")["effects"][0]
    assert f"| {effect['name']} | {effect['mean']:+.1f} | " in vsepp and "not comparable" in vsepp
    assert "lists no paper" in model_cards.card("bow") and "the survey" in model_cards.card("bow").lower()
    assert "SCAN\\*" in model_cards.card("scan")
    with pytest.raises(ItmError, match=r"no model in models/vsep\.py"):
        model_cards.card("vsep")


def test_a_model_is_named_as_a_word_of_its_own():
    assert model_cards._names("vse", "vse beats bow") and not model_cards._names("vse", "vsepp beats vse0")
    records = [{"seed": n, "model": m, "rsum": 10.0 * n, "ok": True} for n in (1, 2) for m in ("vse", "vsepp, GRU")]
    assert model_cards._measured(records, ["vse"]) == [("vse", "rsum", "15.0", "7.1", "2")]


def test_drift_is_reported_and_building_repairs_it(tmp_path):
    assert model_cards.build_cards(folder=tmp_path) == [] == model_cards.build_cards(check=True, folder=tmp_path)
    (tmp_path / "bow.md").write_text("other", encoding="utf-8")
    (tmp_path / "gone.md").write_text("of a model that is no more", encoding="utf-8")
    (tmp_path / "vse.md").unlink()
    assert model_cards.build_cards(check=True, folder=tmp_path) == ["bow.md", "gone.md", "vse.md"]
    model_cards.build_cards(folder=tmp_path)
    assert model_cards.build_cards(check=True, folder=tmp_path) == [] and not (tmp_path / "gone.md").exists()


def test_only_a_claim_without_results_counts_as_not_run(tmp_path, monkeypatch):
    """A damaged file of results is named: a card that left it out in silence would look complete."""
    for chapter in sorted(experiment.CHAPTERS.glob("ch*/claims.py")):
        (tmp_path / chapter.parent.name).mkdir()
        (tmp_path / chapter.parent.name / "claims.py").write_text(chapter.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(experiment, "CHAPTERS", tmp_path)
    assert "No claim of the course has measured it yet" in model_cards.card("bow")
    file = tmp_path / "ch00_start_here" / "results.json"
    for damage, message in {
        "{": "line 1",
        "[]": "the root is a list",
        '{"start_here": 5}': "start_here is a number",
    }.items():
        file.write_text(damage, encoding="utf-8")
        with pytest.raises(ItmError, match=f"results.json.*{message}"):
            model_cards.card("bow")

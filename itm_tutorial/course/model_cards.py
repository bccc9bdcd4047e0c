"""Model cards, one page per model class: docstring, paper, options, published results, claims, measured metrics.

python -m itm_tutorial.course.model_cards build
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from itm_tutorial.chapters import experiment as claims
from itm_tutorial.errors import ItmError
from itm_tutorial.literature import cite, papers, results
from itm_tutorial.literature.catalogue import everything
from itm_tutorial.literature.reported import MEASURES
from itm_tutorial.models import Matching, list_methods, model_class, variant_options

CARDS = Path(__file__).parents[2] / "docs" / "models"
EDITION = "2025"  # its rows include those of 2020
COMMAND = "python -m itm_tutorial.course.model_cards build"


def card_names() -> dict[str, tuple[str, ...]]:
    """Maps each card, named as the method's file, to the names of its models."""
    return {method.name: method.models for method in list_methods()}


def card(name: str) -> str:
    """The card of one class in Markdown.

    Args:
        name: the name of its file in ``models/``, such as "vsepp".

    Returns:
        The text of docs/models/NAME.md.

    Raises:
        ItmError: no model has such a file, or the kept results of a claim are damaged.
    """
    names = card_names().get(name)
    if names is None:
        raise ItmError(f"no model in models/{name}.py: choose {' or '.join(card_names())}")
    cls = model_class(names[0])
    parts = [f"# {cls.__name__}", f"Made by `{COMMAND}`; do not edit it here."]
    parts += [inspect.getdoc(import_module(cls.__module__)), *_paper(cls), *_use(cls, names), *_options(cls)]
    parts += [*_recipes(cls), *_published(cls), *_claimed(name, names)]
    return "\n\n".join(parts) + "\n"


def _paper(cls: type[Matching]) -> list[str]:
    key = cls.method.paper
    if not key:
        return ["## Paper", "The course lists no paper for this model: see the text above."]
    paper = everything()[key]
    links = "".join(f" [{link}](<{getattr(paper, link)}>)" for link in ("paper", "code") if getattr(paper, link))
    chapter = f" Chapter {paper.chapter}." if paper.chapter else ""
    return ["## Paper", f"{paper.title}. {cite(key)}.{chapter}{links} `{key}`"]


def _use(cls: type[Matching], names: list[str]) -> list[str]:
    lines = []
    for name in names:
        options = ", ".join(f"`{option}={value!r}`" for option, value in variant_options(name).items())
        lines.append(f"- `itm.create_model({name!r}, corpus)`" + (f": {options}" if options else ""))
    reads = f"Reads {cls.feature_kind} features and {cls.text_input.about}."
    return ["## Use", "\n".join(lines), reads]


def _options(cls: type[Matching]) -> list[str]:
    """The options with defaults and descriptions from the class's docstring."""
    described = _arguments(inspect.getdoc(cls) or "")
    rows = [
        (f"`{p.name}`", "from the corpus" if p.default is p.empty else f"`{p.default!r}`", described.get(p.name, ""))
        for p in inspect.signature(cls.__init__).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    ]
    summary = (inspect.getdoc(cls) or "").partition("\n\nArgs:")[0]
    return (
        ["## Options", summary, _table(("option", "default", "description"), rows)] if rows else ["## Options", summary]
    )


def _arguments(docstring: str) -> dict[str, str]:
    """The entries of a docstring's Args, each on one line."""
    block = docstring.partition("Args:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^    (\w[\w, ]*): (.+(?:\n {6,}.+)*)", block, re.MULTILINE)
    return {name.strip(): " ".join(text.split()) for names, text in entries for name in names.split(",")}


RECIPE_COLUMNS = ("epochs", "batch_size", "learning_rate", "drop_at", "clip", "weight_decay", "sampler")


def _recipes(cls: type[Matching]) -> list[str]:
    """The recipes for training, one row each, with the options and features that they set."""
    rows = []
    for name, recipe in cls.recipes.items():
        options = {**({"features": recipe.features} if recipe.features else {}), **recipe.options}
        settings = [f"{getattr(recipe, column)}" for column in RECIPE_COLUMNS]
        rows.append((f"`{name}`", *settings, ", ".join(f"`{option}={value!r}`" for option, value in options.items())))
    head = ("recipe", *(column.replace("_", " ") for column in RECIPE_COLUMNS), "options")
    use = "`create_model(..., recipe=NAME)` chooses a recipe; arguments of `fit` take precedence over it."
    return ["## Recipes", use, _table(head, rows)]


def _published(cls: type[Matching]) -> list[str]:
    """The results of the paper in the survey's tables, as printed, and remarks."""
    key = cls.method.paper
    frame = results(EDITION)
    frame = frame[frame.key == key] if key in set(papers().key) else frame[:0]
    if frame.empty:
        return ["## Published results", f"The survey's edition of {EDITION} has none."]
    rows: dict[tuple, dict[str, str]] = {}
    remarks: dict[str, None] = {}
    for reported in frame.to_dict("records"):
        mark = "\\*" if reported["ensemble"] else ""
        name = (reported["dataset"], reported["method"] + mark, reported["note"])
        doubt = "?" if reported["doubtful"] else ""
        value = "-" if reported["value"] != reported["value"] else f"{reported['value']:g}{doubt}"
        rows.setdefault(name, {})[f"{reported['direction']} {reported['metric']}"] = value
        if reported["remark"]:
            remarks[f"- {reported['method']}, {reported['dataset']}: {reported['remark']}"] = None
    shown = [measure for measure in MEASURES if any(measure in row for row in rows.values())]
    body = [(*name, *(row.get(measure, "") for measure in shown)) for name, row in rows.items()]
    note = f"In percent, on photographs, from the survey's edition of {EDITION}; not comparable with drawn worlds."
    listed = ["\n".join(remarks)] if remarks else []
    return ["## Published results", note, _table(("data set", "method", "note", *shown), body), *listed]


def _claimed(name: str, names: list[str]) -> list[str]:
    """What the course measured: the verdicts that name the model, and its metrics over seeds."""
    effects, metrics, sources = [], [], []
    for claim in claims.list_claims():
        if not claims.was_run(claim):
            continue
        kept = claims.results(claim)
        own = [e for e in kept["effects"] if claim == name or any(_names(n, e["name"]) for n in names)]
        measured = _measured(kept["figures"], names)
        if own or measured:
            about = kept["provenance"]
            seeds = len({row["seed"] for row in kept["figures"]})
            version = about.get("torch", "of an unknown version")
            sources.append(f"`itm claims {claim}`: {seeds} seeds, {about['date']}, torch {version}")
        effects += [(e["name"], f"{e['mean']:+.1f}", f"{e['standard_error']:.1f}", e["verdict"]) for e in own]
        metrics += [(claim, *row) for row in measured]
    if not sources:
        return [
            "## Measured here",
            f"No claim of the course has measured it yet; known claims: {', '.join(claims.list_claims())}.",
        ]
    parts = ["## Measured here", "On drawn worlds. " + ". ".join(sources) + "."]
    if effects:
        parts.append(_table(("claim", "mean", "standard error", "verdict"), effects))
    if metrics:
        parts.append(_table(("claim", "run", "metric", "mean", "standard deviation", "seeds"), metrics))
    return parts


def _names(model: str, text: str) -> bool:
    """Whether a text contains a model's name as a separate word; "vsepp" does not contain "vse"."""
    return bool(re.search(rf"(?<!\w){re.escape(model)}(?!\w)", text))


def _measured(records: list[dict[str, Any]], names: list[str]) -> list[tuple[str, ...]]:
    """Mean and standard deviation over seeds of each metric of the runs whose names begin with one of the names."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in records:
        run = str(row.get("model", ""))
        if not any(re.match(rf"{re.escape(name)}(?!\w)", run) for name in names):
            continue
        for metric, value in _flat(row):
            found.setdefault((run, metric), []).append(value)
    return [
        (run, metric, f"{mean(values):.1f}", f"{stdev(values):.1f}" if len(values) > 1 else "", str(len(values)))
        for (run, metric), values in found.items()
    ]


SKIPPED = {"seed", "model", "seconds", "steps_an_epoch", "epoch", "batch_size", "minimal_pair_queries", "converged"}


def _flat(row: dict[str, Any]) -> list[tuple[str, float]]:
    """The numbers of a run; those in nested dicts under joined names."""
    found: list[tuple[str, float]] = []
    for name, value in row.items():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        for below, number in inner:
            if name not in SKIPPED and isinstance(number, int | float) and not isinstance(number, bool):
                found.append((f"{name} {below}".strip(), float(number)))
    return found


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    cells = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


def build_cards(check: bool = False, folder: Path = CARDS) -> list[str]:
    """Writes every card, or checks which are out of date.

    Args:
        check: whether to compare only, without writing.
        folder: of the cards.

    Returns:
        Names of files that are out of date, are missing, or belong to no model; empty after writing.
    """
    cards = {f"{name}.md": card(name) for name in card_names()}
    stored = {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.md"))}
    if check:
        return [name for name in sorted({*cards, *stored}) if cards.get(name) != stored.get(name)]
    folder.mkdir(parents=True, exist_ok=True)
    for name in stored:
        if name not in cards:
            (folder / name).unlink()
    for name, text in cards.items():
        (folder / name).write_text(text, encoding="utf-8")
    return []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the cards of the models, or check them for drift")
    parser.add_argument("action", choices=("build", "check"))
    differing = build_cards(check=parser.parse_args().action == "check")
    print("\n".join(f"docs/models/{name} differs: run {COMMAND}" for name in differing) or "the cards are up to date")
    sys.exit(bool(differing))

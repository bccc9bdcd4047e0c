"""Claims about methods: each is an experiment over several seeds, with a verdict.

``itm claims`` lists them, ``itm claims NAME`` runs one; ``results.json`` of its chapter holds the results with seeds,
versions, machine and a digest of the sources. A claim is found in its chapter's ``claims.py``; see ``declaration``.
A chapter of a family of methods has a folder ``claims`` in its place, with one file per method, and one file of results
per method in the folder ``results``, so that a new method changes no file of another one.
"""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from itm_tutorial.chapters.declaration import Claim
from itm_tutorial.chapters.effects import effects_of
from itm_tutorial.chapters.kept import check_claim, read_kept, rows_are_whole
from itm_tutorial.chapters.verdict import Effect, effect, per_model, provenance
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.storage import read_json, write_json

CHAPTERS = Path(__file__).parent


@cache
def _files(folder: Path = CHAPTERS) -> dict[str, Path]:
    """Name of a claim -> its file below the folder. Names are read from the text: importing every claim takes torch."""
    found: dict[str, Path] = {}
    one_each = (file for file in folder.glob("ch*/claims/*.py") if file.name != "__init__.py")
    for file in sorted([*folder.glob("ch*/claims.py"), *one_each]):
        calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda call: call.lineno):
            if getattr(call.func, "id", "") != "Claim":
                continue
            name = next((word.value for word in call.keywords if word.arg == "name"), None)
            if not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
                raise ItmError(f'{file} line {call.lineno}: write Claim(name="...", ...) with a plain string')
            if name.value in found:
                raise ItmError(f"{file}: {found[name.value]} has a claim {name.value!r} too; give it another name")
            found[name.value] = file.relative_to(folder)
    return found


def _file(name: str) -> Path:
    if name not in _files():
        raise unknown("claim", name, _files())
    return _files()[name]


def list_claims() -> list[str]:
    """The names that ``run`` knows, in the order of the chapters."""
    return list(_files())


def find(name: str) -> Claim:
    """The declaration of a claim.

    Args:
        name: one of ``list_claims()``.

    Raises:
        ItmError: no claim has this name, or its chapter does not list it in ``CLAIMS``.
    """
    module = import_module(".".join(["itm_tutorial.chapters", *_file(name).with_suffix("").parts]))
    for claim in module.CLAIMS:
        if claim.name == name:
            return claim
    raise ItmError(f"{module.__file__}: {name!r} does not stand in CLAIMS; add it there")


def run(name: str, seeds: tuple[int, ...] = (0, 1, 2), size: str = "mini", folder: Path | None = None) -> dict:
    """Trains what a claim needs, over every seed, and returns its figures and verdicts.

    Args:
        name: one of ``list_claims()``.
        seeds: at least three for a meaningful verdict.
        size: of the drawn corpus.
        folder: where to save each seed as soon as it is trained. A run that was killed continues from there, unless the
            sources that the claim depends on or a version has changed since; by default nothing is saved.

    Returns:
        Plain data, as it is kept in JSON: ``figures`` per seed, ``effects`` with mean, spread and verdict, and
        ``provenance``: versions, machine, size, and the digest of the sources by which ``state`` judges.

    Raises:
        ItmError: no claim has this name, or the folder cannot be written to.
    """
    from itm_tutorial.chapters.dependencies import digest

    claim = find(name)
    about = {**provenance(), "size": size, "sources": digest(claim)}
    files = [None if folder is None else Path(folder) / f"{name}-{size}-seed-{seed}.json" for seed in seeds]
    figures = [row for seed, file in zip(seeds, files, strict=True) for row in _of_seed(claim, seed, about, file)]
    try:
        effects = effects_of(claim.effects, figures)
    except ItmError as error:
        raise ItmError(str(error) if folder is None else f"{folder}: {error}") from error
    return {"figures": figures, "effects": effects, "provenance": about}


def _of_seed(claim: Claim, seed: int, about: dict[str, Any], file: Path | None) -> list[dict[str, Any]]:
    """The figures of a seed: from the file where the present sources have written it, else trained now and kept."""
    from itm_tutorial.chapters.runner import figures_of_seed

    made_by = {name: value for name, value in about.items() if name != "date"}
    if file is not None:
        try:
            record = read_json(file)
        except ItmError:  # not there, or damaged: either way it is made anew
            record = None
        if isinstance(record, dict) and record.get("made_by") == made_by:
            rows = record.get("figures")
            if rows_are_whole(rows, [arm.name for arm in claim.arms]):
                return rows
    figures = figures_of_seed(claim, seed, about["size"])
    if file is not None:
        write_json(file, {"made_by": made_by, "figures": figures})
    return figures


def results(name: str) -> dict:
    """The figures that the course's authors kept of a claim, as ``run`` returned them.

    Args:
        name: one of ``list_claims()``.

    Returns:
        Plain data: ``figures``, ``effects`` and ``provenance`` (date, versions, machine).

    Raises:
        ItmError: unknown claim, one that nobody has run yet, or a damaged file.
    """
    file = results_file(name)
    kept = read_kept(file)
    if name not in kept:
        raise ItmError(f"{file} holds no figures of {name}: run `itm claims {name} --out {file}`")
    return check_claim(kept[name], name, file)


def was_run(name: str) -> bool:
    """Whether figures of a claim are kept.

    Args:
        name: one of ``list_claims()``.

    Raises:
        ItmError: unknown claim, or a damaged file.
    """
    return name in read_kept(results_file(name))


def results_file(name: str) -> Path:
    """Where the figures of a claim are kept.

    Args:
        name: one of ``list_claims()``.

    Returns:
        ``results.json`` in the folder of its chapter; in a chapter with a folder of claims, ``results/METHOD.json``.

    Raises:
        ItmError: unknown claim.
    """
    file = CHAPTERS / _file(name)
    if file.name == "claims.py":
        return file.with_name("results.json")
    return file.parents[1] / "results" / f"{file.stem}.json"


def chapter_of(name: str) -> str:
    """The folder of a claim's chapter, such as "ch03_scan".

    Raises:
        ItmError: unknown claim.
    """
    return _file(name).parts[0]


def keep(name: str, found: dict, file: Path) -> None:
    """Puts the figures of one claim into a file, beside those of the others.

    Args:
        name: of the claim.
        found: what ``run`` returned.
        file: JSON, made if it is not there.

    Raises:
        ItmError: the file is no collection of claims, or cannot be written.
    """
    write_json(file, {**read_kept(file), name: found})


def overview(name: str) -> dict[str, Any]:
    """One line about a claim, from what is kept of it; this imports no model.

    Args:
        name: one of ``list_claims()``.

    Returns:
        chapter; and, where it has been run, verdicts (verdict -> number of effects), seeds (how many) and date.

    Raises:
        ItmError: a damaged file.
    """
    line: dict[str, Any] = {"chapter": chapter_of(name)}
    if was_run(name):
        kept = results(name)
        line["verdicts"] = dict(Counter(effect["verdict"] for effect in kept["effects"]))
        line["seeds"] = len({row["seed"] for row in kept["figures"]})
        line["date"] = kept["provenance"]["date"]
    return line


CHANGED, UNTRACKED, NEVER, CURRENT = "changed", "untracked", "never run", "current"


def state(name: str) -> str:
    """Whether the kept figures of a claim were made by the present sources. Only a run makes them so.

    Args:
        name: one of ``list_claims()``.

    Returns:
        "current"; "changed": code that the figures depend on has changed since, so run it again; "untracked": recorded
        before sources were tracked, so nobody can tell; or "never run".

    Raises:
        ItmError: a damaged file.
    """
    from itm_tutorial.chapters.dependencies import digest

    if not was_run(name):
        return NEVER
    recorded = results(name)["provenance"].get("sources")
    if recorded is None:
        return UNTRACKED
    return CURRENT if recorded == digest(find(name)) else CHANGED


__all__ = ["Effect", "effect", "keep", "list_claims", "per_model", "results", "run"]

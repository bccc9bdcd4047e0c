"""The page of the reality check, docs/results/reality_check.md, made from the kept results beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from itm_tutorial.course.markdown import mean_and_deviation, table
from itm_tutorial.course.reality_check.results import empty, read_check
from itm_tutorial.literature import results
from itm_tutorial.models import list_methods, list_models, method_of

FILE = Path(__file__).parents[3] / "docs" / "results" / "reality_check.json"
TITLE = "Reality check: every model under one protocol"
EDITION, DATASETS = "2025", ("Flickr30K", "MSCOCO1K")  # of the survey's tables; the first data set that has a row
RECALLS = ("i2t_r1", "t2i_r1")
KINDS = ("binding", "relation", "count", "object")  # of minimal pairs, in this order; others follow
LINES = {"ceiling": "*ceiling: an oracle that reads the scene*", "chance": "*chance*"}
YARDSTICK = "vse"  # the model whose training time is 1
WHY = """The results of two papers can seldom be compared: the image network, the embedding size, the data and the
training differ as well as the method. Here all models are trained on the same drawn scenes, with the features of one
backbone and under one protocol, which was fixed before the first run."""
LIMITS = """- Drawn scenes are not photographs. Their captions are short and their vocabulary is small. A model that was
  made for long texts or for photographs cannot show its strength here.
- Only three learning rates are tried, around the one of the recipe. Where the chosen one is the lowest or the highest
  of the three, the table says so: a rate beyond it might be better.
- The rate is chosen at the epochs of the recipe. If a model is then trained for longer, a lower rate might be better.
- The embedding size is the same for all models that have an option for it. The number of parameters is not, and the
  other settings are those of each model's recipe for drawn scenes.
- Models read different features of the one backbone: one vector per image, a grid, or regions. A model that reads
  regions gets more information about an image than a model that reads one vector.
- A few seeds show large differences and leave small ones open. A difference below two standard deviations means
  little.
- Published results were measured on photographs, with other features and other training sets. They stand here for
  orientation; do not compare them with the other columns of their row."""


def load(file: Path = FILE) -> dict[str, Any]:
    """The kept results; without a file, those of no model.

    Raises:
        ItmError: the file is damaged.
    """
    return read_check(file) if file.exists() else empty({})


def page_text(made: str, file: Path = FILE) -> str:
    """The text of docs/results/reality_check.md.

    Args:
        made: the sentence that says how the page is made.
        file: the kept results.

    Returns:
        Markdown.

    Raises:
        ItmError: the file is damaged.
    """
    kept = load(file)
    models = {name: kept["models"][name] for name in list_models() if name in kept["models"]}
    parts = [f"# {TITLE}", made, _one_line(WHY), "## Protocol", _protocol(kept["protocol"], models)]
    if models:
        parts += ["## Results", _legend(models), _results(models, kept["lines"])]
        parts += ["## Settings and cost", _settings_legend(models), _settings(models)]
    for title, text in _absent(kept, models).items():
        parts += [f"## {title}", text]
    parts += ["## Limits", LIMITS]
    if models:
        parts += ["## Measured by", _provenance(models)]
    return "\n\n".join(parts) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _protocol(about: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    """The protocol in words, with the numbers of the kept run, or of the present code before any run."""
    if not about:
        from itm_tutorial.course.reality_check.run import about_protocol

        about = about_protocol("mini")
    factors = ", ".join(f"{factor:g}" for factor in about["rate_factors"])
    most, gain = 2 ** about["doublings"], f"{100 * about['least_gain']:g} %"
    lines = [
        f"""Every model is trained on the drawn world "{about["corpus"]}", size "{about["size"]}", and reads the
        features of the backbone "mini". Its embeddings have {about["embed_size"]} numbers where an option sets their
        size. Everything else is as in its recipe "drawn".""",
        f"""Settings are chosen on seed {about["tuning_seed"]}. It has images, captions and first weights of its own,
        and its test split is never scored.""",
        f"""Learning rate: one training with each of {factors} times the rate of the recipe, for the epochs of the
        recipe. The rate with the highest rsum on the validation split is taken; of equal ones, the lowest.""",
        f"""Epochs: with this rate, they are doubled until the last quarter of the run adds less than {gain} to the best
        validation rsum before it, and a run of twice the epochs adds less than {gain} to that. A run has at most {most}
        times the epochs of the recipe. A model that still gains more there is marked.""",
        """With this rate and these epochs, the model is trained on the other seeds and measured on their test splits.
        As everywhere in the course, the weights are those of the epoch with the best validation rsum.""",
    ]
    lines = [_one_line(line) for line in lines]
    text = "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
    return text + "\n\n`itm reality` runs it and can be stopped at any time; `itm reality --list` says what is left."


def _legend(models: Mapping[str, Any]) -> str:
    seeds = sorted({one["seed"] for model in models.values() for one in model["trainings"]})
    return _one_line(
        f"""Measured on the test splits of the seeds {", ".join(map(str, seeds))}, and sorted by rsum, which is given as
        mean ± standard deviation over seeds. The recalls and the accuracies on minimal pairs, by kind, are means in
        percent. The last column is for orientation: the best row that the survey's tables have of the method's paper on
        photographs, with R@1 image to text / text to image on {DATASETS[0]}, or else on {DATASETS[1]}, and with rsum
        where all six recalls are known.{_equal(models)}"""
    )


def _equal(models: Mapping[str, Any]) -> str:
    """Says which models have equal results, so that nobody takes their rows for an error of the table."""
    alike: dict[str, list[str]] = {}
    for name, model in models.items():
        if any(one["test"] for one in model["trainings"]):
            alike.setdefault(str([one["test"] for one in model["trainings"]]), []).append(f"`{name}`")
    groups = [" and ".join(names) for names in alike.values() if len(names) > 1]
    return f" Equal rows are the same model under this protocol: {', '.join(groups)}." if groups else ""


def _results(models: Mapping[str, Any], lines: Mapping[str, Any]) -> str:
    """Models, the ceiling and chance, sorted by rsum; models without one come last."""
    measured = {name: [one["test"] for one in model["trainings"] if one["test"]] for name, model in models.items()}
    fixed = {line: [of_seed[line] for of_seed in lines.values() if line in of_seed] for line in LINES}
    known = {kind for tests in [*measured.values(), *fixed.values()] for one in tests for kind in one["minimal_pairs"]}
    kinds = [*(kind for kind in KINDS if kind in known), *sorted(known - set(KINDS))]
    rows = []
    for name, tests in measured.items():
        about = [_link(name), method_of(name).chapter, models[name]["features"]]
        failed = len(models[name]["trainings"]) - len(tests)
        rows.append((tests, about, failed, published(method_of(name).paper)))
    rows += [(tests, [LINES[line], "", ""], 0, "") for line, tests in fixed.items() if tests]
    rows.sort(key=lambda row: -mean(one["rsum"] for one in row[0]) if row[0] else 1.0)
    head = ["model", "chapter", "features", "R@1 image to text", "R@1 text to image", "rsum", *kinds, "published"]
    return table(head, [_row(*row, kinds) for row in rows])


def _row(tests: list[dict], about: list[str], failed: int, beside: str, kinds: Sequence[str]) -> list[str]:
    if not tests:
        return [*about, "", "", "failed", *[""] * len(kinds), beside]
    rsum = mean_and_deviation([one["rsum"] for one in tests])
    rsum += f"; {failed} of {failed + len(tests)} trainings failed" if failed else ""
    recalls = [f"{mean(one[name] for one in tests):.1f}" for name in RECALLS]
    pairs = [[one["minimal_pairs"][kind] for one in tests if kind in one["minimal_pairs"]] for kind in kinds]
    return [*about, *recalls, rsum, *(f"{mean(values):.1f}" if values else "" for values in pairs), beside]


def _link(name: str) -> str:
    return f"[`{name}`](../models/{method_of(name).name}.md)"


def published(key: str) -> str:
    """The best row that the survey's tables have of a paper, without doubtful values; ensembles only if nothing else.

    Args:
        key: of the paper; empty for a baseline of the course.

    Returns:
        Data set, image network, R@1 image to text / text to image, and rsum where it is known.
    """
    if not key:
        return "no paper"
    frame = results(EDITION)
    frame = frame[(frame.key == key) & ~frame.doubtful & frame.value.notna()]
    for dataset in DATASETS:
        rows = {
            (ensemble, note): {(f["direction"], f["metric"]): f["value"] for f in found.to_dict("records")}
            for (ensemble, note), found in frame[frame.dataset == dataset].groupby(["ensemble", "note"])
        }
        rows = {about: values for about, values in rows.items() if _r1(values) is not None}
        if rows:
            ensemble, note = max(rows, key=lambda about: (not about[0], sum(_r1(rows[about]))))
            values = rows[ensemble, note]
            one, other = _r1(values)
            text = f"{dataset}, {note}{', ensemble' * bool(ensemble)}: {one:.1f} / {other:.1f}"
            return text + (f", rsum {sum(values.values()):.1f}" if len(values) == 6 else "")
    return "none"


def _r1(values: Mapping[tuple[str, str], float]) -> tuple[float, float] | None:
    """R@1 of both directions, if both are there."""
    both = [values.get((direction, "R@1")) for direction in ("i2t", "t2i")]
    return None if None in both else tuple(both)


def _settings_legend(models: Mapping[str, Any]) -> str:
    own = [name for name, model in models.items() if model["embed_size"] is None]
    text = _one_line(
        f"""Epochs are those of the final trainings. *Still rising* marks a model that gained more than the limit at the
        end of the longest run, or by the last doubling. *Tried* has the validation rsum of each training on the seed on
        which settings are chosen, as learning rate x epochs. Time is the computing time of a final training, with its
        validation, as a multiple of that of `{YARDSTICK}` on the same machine; networks that are trained once and kept
        in the cache do not count."""
    )
    if seconds := _seconds(models.get(YARDSTICK)):
        text += f" A training of `{YARDSTICK}` took {seconds:.0f} seconds, added up over cores."
    if own:
        text += f" No option sets the embedding size of {_names(own)}: it is the model's own."
    return text


def _settings(models: Mapping[str, Any]) -> str:
    rows = []
    for name, model in models.items():
        rates = [one["rate"] for one in model["tried"]]
        end = {min(rates): " (lowest)", max(rates): " (highest)"}.get(model["rate"], "")
        rate = "" if model["rate"] is None else f"{model['rate']:g}{end}"
        parameters = "" if model["parameters"] is None else f"{model['parameters']:,}"
        time = _ratio(model, models.get(YARDSTICK))
        rows.append([_link(name), rate, _epochs(model), _tried(model["tried"]), time, parameters])
    return table(["model", "learning rate", "epochs", "tried", "time", "parameters"], rows)


def _tried(tried: Sequence[Mapping[str, Any]]) -> str:
    rsums = ["failed" if one["rsum"] is None else f"{one['rsum']:.1f}" for one in tried]
    return ", ".join(f"{one['rate']:g} x {one['epochs']}: {rsum}" for one, rsum in zip(tried, rsums, strict=True))


def _epochs(model: Mapping[str, Any]) -> str:
    if model["epochs"] is None:
        return ""
    return f"{model['epochs']}{' (still rising)' * model['still_rising']}"


def _ratio(model: Mapping[str, Any], yardstick: Mapping[str, Any] | None) -> str:
    """A training's time as a multiple of the yardstick's; empty where another machine has measured that."""
    seconds, unit = _seconds(model), _seconds(yardstick)
    if not seconds or not unit:
        return ""
    where = [[one["provenance"].get(key) for key in ("machine", "system", "cores")] for one in (model, yardstick)]
    return f"{seconds / unit:.2g}" if where[0] == where[1] else ""


def _seconds(model: Mapping[str, Any] | None) -> float | None:
    """The mean computing time of the final trainings."""
    seconds = [one["seconds"] for one in model["trainings"] if one["test"]] if model else []
    return mean(seconds) if seconds else None


def _absent(kept: Mapping[str, Any], models: Mapping[str, Any]) -> dict[str, str]:
    """What the tables do not show, and why: heading -> text."""
    failed = []
    for name, model in models.items():
        failed += [(f"{name}, {_tried([one])}", one["message"]) for one in model["tried"] if one["message"]]
        failed += [(f"{name}, seed {one['seed']}", one["message"]) for one in model["trainings"] if one["message"]]
    main = [one.name for one in list_methods()]
    left_out = {name: reason for name, reason in kept["left_out"].items() if name in list_models()}
    missing = [name for name in main if name not in models and name not in left_out]
    parts = {}
    if failed:
        parts["Failures"] = _bullets(f"{what}: {message}." for what, message in failed)
    if missing:
        parts["Not run yet"] = f"The command has not yet been run for {_names(missing)}."
    if left_out:
        lines = _bullets(f"`{name}`: {reason}." for name, reason in left_out.items())
        parts["Left out"] = f"These models need more than captions of scenes:\n\n{lines}"
    return parts


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_one_line(line)}" for line in lines)


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _provenance(models: Mapping[str, Any]) -> str:
    """Machine, date and versions; models that share them share a line."""
    lines: dict[str, list[str]] = {}
    for name, model in models.items():
        about = {key: value for key, value in model["provenance"].items() if key != "sources"}
        date = about.pop("date", "an unknown date")
        machine = f"{about.pop('machine', '')}, {about.pop('system', '')}, {about.pop('cores', '')} cores"
        lines.setdefault(
            f"{date}, {machine}; {', '.join(f'{key} {value}' for key, value in about.items())}", []
        ).append(name)
    return _bullets(f"{_names(names)}: {about}." for about, names in lines.items())

"""The folded answers of chapter 90: each says what the tables show, with numbers that were computed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from statistics import median
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.ch90_literature.record_figures import reported, staircase
from itm_tutorial.literature import ideas, pairs, papers, results
from itm_tutorial.literature.reported import EDITIONS
from itm_tutorial.show.canvas import counted

BROUGHT = {  # method -> what its step brought besides its main idea
    "UVSE": "UVSE brought a recurrent network that reads the sentence, *and* another image backbone than DeViSE's row "
    "has.",
    "DAN": "DAN brought attention on both sides, *and* a ResNet.",
}


def record(rows: Sequence[dict[str, Any]]) -> str:
    """Says where the record jumped most, and how many later rows are below it.

    Args:
        rows: as ``reported`` returns them.
    """
    steps = staircase(rows)
    if len(steps) < 2:
        return "These rows hold no step of the record: choose more years or another data set."
    jumps = sorted(zip(steps, steps[1:], strict=False), key=lambda pair: pair[0]["value"] - pair[1]["value"])[:2]
    parts = [f"{new['year']} ({new['method']}, from {old['value']:g} to {new['value']:g})" for old, new in jumps]
    later = [row for row in rows if row["year"] and row["year"] > steps[0]["year"]]
    below = sum(row["value"] < _height(steps, row["year"]) for row in later)
    brought = [BROUGHT[after["method"]] for _, after in jumps if after["method"] in BROUGHT]
    vgg = [row for row in rows if row["method"] == "DAN" and row["note"] == "VggNet"]
    if vgg and any(after["method"] == "DAN" for _, after in jumps):
        step = next(before for before, after in jumps if after["method"] == "DAN")
        gain = vgg[0]["value"] - step["value"]
        brought.append(f"With VGG it has {vgg[0]['value']:g}, which is {gain:+.1f} points from the record before it.")
    changed = f" Several things changed in these steps. {' '.join(brought)}" if brought else ""
    return (
        f"The largest steps are those of {' and '.join(parts)}.{changed}\n\nOf the rows after {steps[0]['year']}, "
        f"{below} are below the record of their year. They are no failures: a paper may study a smaller network, "
        "another data set, or an idea that helps elsewhere. A record is one number of one table."
    )


def _height(steps: Sequence[dict[str, Any]], year: int) -> float:
    """The record at the end of a year."""
    return max(step["value"] for step in steps if step["year"] <= year)


def categories(frame, chapters: Collection[str]) -> str:
    """Says which category is the largest, which years are missing, and how many papers have a chapter.

    Args:
        frame: the papers, as ``itm.literature.papers`` returns them.
        chapters: the numbers of the chapters that the course has.
    """
    counts = frame.section.value_counts()
    years = sorted(set(range(frame.year.min(), frame.year.max() + 1)) - set(frame.year))
    missing = ", ".join(map(str, years)) or "no year"
    treated = int(frame.chapter.isin(list(chapters)).sum())
    largest = f"The largest category is *{counts.index[0]}*, with {counts.iloc[0]} of {len(frame)} papers."
    if counts.index[0] == "Posted in":
        largest += (
            " This is no kind of method: it is the survey's list of papers that were added later and never sorted. "
            "Many of its papers of 2020 would belong to *Cross-modal interaction*."
        )
    return (
        f"{largest} Between {frame.year.min()} and {frame.year.max()} there is no paper of {missing}, and there is "
        f"none after {frame.year.max()}, although the field went on. The edition of 2025 has results of later methods, "
        f"but not their papers. So the survey is a sample of the field. The course has chapters on {treated} of its "
        "papers so far."
    )


def filtered_record(frame) -> str:
    """Says in which years ensembles or doubtful rows raise the record, and which rows these are.

    Args:
        frame: rows of one data set, metric and direction, with the columns year, value, method, ensemble and doubtful.
    """
    frame = frame[frame.value.notna()]
    single = frame[~frame.ensemble & ~frame.doubtful]
    parts = []
    for year in sorted(frame.year.unique()):
        every, kept = (rows[rows.year <= year] for rows in (frame, single))
        if len(every) and (not len(kept) or every.value.max() > kept.value.max()):
            best = every.loc[every.value.idxmax()]
            kind = "doubtful" if best.doubtful else "an ensemble"
            parts.append(f"{year} ({best.method}, {best.value:g}, {kind})")
    if not parts:
        return "They never differ: no ensemble and no doubtful row is above the best single model of its time."
    return f"They differ in {', '.join(parts)}. In all other years the record is the same."


def suspicious_rows(counts: Sequence[tuple[int, int]]) -> str:
    """Says how many curves break a rule.

    Args:
        counts: of each edition, the number of curves and of suspicious ones.
    """
    listed = " and ".join(f"{odd} of {n}" for n, odd in counts)
    return (
        f"Few: {listed}. m-RNN on MSCOCO is among them in both editions, with R@1 29.0, **R@5 42.2** and R@10 77.0. "
        "Nobody here knows which R@5 was meant, so the course keeps the printed value and marks the row. To replace it "
        "by a guess would be to invent data."
    )


def rows_without_year(dataset: str) -> str:
    """Says how many rows of a data set have no year in each edition, for the first measure that the edition has."""
    parts, measure = [], ""
    for edition in EDITIONS:
        frame = results(edition)
        frame = frame[(frame.dataset == dataset) & frame.value.notna()]
        if frame.empty:
            continue
        metric, direction = frame.iloc[0].metric, frame.iloc[0].direction
        rows = reported(dataset, metric, direction, edition)
        undated = [row for row in rows if row["year"] is None]
        parts.append(f"{len(undated)} of {len(rows)} in the edition of {edition}")
        measure = f"{direction} {metric}"
    return (
        f"On {dataset}, for {measure}, rows without a year are: {', '.join(parts)}. They belong to methods that are "
        "not among the 78 papers; the list shows a question mark, and the figure leaves them out. To place them you "
        "would have to look up each paper. We did not guess."
    )


def careless_means(means: float, paired: float) -> str:
    """Compares the difference of two means with the mean of paired differences, in points."""
    which = "larger" if means > paired else "smaller"
    why = (
        "It credits the network with everything that came with it: many methods never had a VGG row, and they are the "
        "later ones."
        if means > paired
        else "The methods that have one network alone happen to be the weaker ones here."
    )
    return (
        f"The difference of the means, {means:+.1f} points, is {which} than that of the pairs, {paired:+.1f} points. "
        f"{why} Within a pair the method is the same, so these other changes cancel."
    )


def ingredients() -> str:
    """Says which ingredient has the best supported difference, and which rows rest on one method."""
    frame = pairs()
    groups = {change: rows for change, rows in frame.groupby("change", sort=False)}
    best = max(groups, key=lambda change: (groups[change].method.nunique(), len(groups[change])))
    rows = groups[best]
    sides = "all above 0" if rows.difference.min() > 0 else f"{int((rows.difference < 0).sum())} of them below 0"
    losses = frame[frame.part == "loss"]
    alone = [change for change, some in groups.items() if some.method.nunique() == 1]
    both = [change for change, some in groups.items() if some.difference.min() < 0 < some.difference.max()]
    return (
        f"The best supported difference is {best}: {counted(len(rows), 'pair')} of {rows.method.nunique()} methods, "
        f"median {median(rows.difference):+.1f} points, {sides}. Losses have {len(losses)} pairs with a median of "
        f"{median(losses.difference):+.1f} points. This does not show that losses matter little. Hardly anyone "
        "publishes one network under two losses, but whoever proposes a method often publishes it with two backbones. "
        f"**What is easy to swap was swapped.**\n\nDistrust the {len(alone)} rows with one method: their dots are a "
        "few measurements of one thing. Even a pair may hide a second change, such as more epochs, fine-tuning, or a "
        f"margin tuned for one of the two. {_both_ways(both)}"
    )


def _both_ways(changes: Sequence[str]) -> str:
    if not changes:
        return "No row has differences of both signs."
    return f"Differences of both signs occur in: {'; '.join(changes)}."


def descent() -> str:
    """Says who is followed most, and which arrows are a mistake that was passed on."""
    names = papers().set_index("key").name
    found = list(ideas())
    out: dict[str, int] = {}
    for idea in found:
        out[idea.source] = out.get(idea.source, 0) + 1
    most = max(out.values())
    first = [names[key] for key, n in out.items() if n == most]
    shared = [n for n, idea in enumerate(found, start=1) if "mistake" in idea.idea]
    mistakes = ", ".join(map(str, shared))
    return (
        f"{' and '.join(first)} {'have' if len(first) > 1 else 'has'} the most, {most} each. Arrows {mistakes} are a "
        "mistake that was passed on: the evaluation code prints a wrong summary line for results in folds, and later "
        "repositories print the same wrong line. A shared mistake is better evidence that code was copied than a "
        "citation in an introduction."
    )


def own_run(row: dict[str, Any]) -> str:
    """Says what keeps a run of one's own from being compared, and what of it can be changed.

    Args:
        row: a row of the leaderboard.
    """
    parts = []
    if row["split"] != "test":
        parts.append(
            f"The run was evaluated on the {row['split']} split. This is easy to change: give `run_row` of the trained "
            "model, with metrics of the test split, to `record`."
        )
    if row["drawn"]:
        parts.append("The images are drawn. This cannot be changed: no training turns drawings into photographs.")
    told = " ".join(parts) or "Nothing keeps this run from being compared, if its split is that of the papers."
    return f"{told} The panels share an axis and nothing else: a longer bar below is no better model."


def no_progress(years: Tensor, values: Tensor, record: Tensor) -> str:
    """Says what the record and the medians of a field without progress do.

    Args:
        years: int64 [n_rows].
        values: [n_rows], drawn without progress.
        record: [n_years], the record at the end of each year.
    """
    medians = [values[years == year].median().item() for year in years.unique()]
    rises = int((record.diff() > 0).sum())
    return (
        f"The record rises from {record[0]:.0f} to {record[-1]:.0f} in {counted(rises, 'step')}, and each step would "
        f"have been a bold row in a paper's table. The medians stay between {min(medians):.0f} and {max(medians):.0f}. "
        f"{_true_medians()} No table of single runs can say how much of one step is luck. For this "
        "you need several seeds."
    )


def _true_medians(dataset: str = "Flickr30K") -> str:
    """What the medians of the field's own results do."""
    rows = [row for row in reported(dataset) if row["year"]]
    by_year = {year: [row["value"] for row in rows if row["year"] == year] for year in {row["year"] for row in rows}}
    first, last = min(by_year), max(by_year)
    alone = sum(len(values) == 1 for values in by_year.values())
    values = torch.tensor([median(by_year[year]) for year in sorted(by_year)])
    goes = "rises" if values[-1] > values[0] else "does not rise"
    return (
        f"On the true results of {dataset} (R@1, image to text) the median *{goes}*: it is {values[0]:.1f} in {first} "
        f"and {values[-1]:.1f} in {last}. So most papers of later years are better than most of earlier ones, although "
        f"in {alone} of {len(by_year)} years the median is a single row."
    )

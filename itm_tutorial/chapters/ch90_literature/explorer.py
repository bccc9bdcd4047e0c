"""A widget to sort, filter and search the survey's results; each control and link works by keyboard."""

from __future__ import annotations

import html
from typing import Any

from itm_tutorial.chapters.ch90_literature.paper_list import chapter_link, link, paper_links
from itm_tutorial.chapters.ch90_literature.record_figures import record, reported
from itm_tutorial.errors import ItmError
from itm_tutorial.literature import papers, results
from itm_tutorial.literature.reported import DATASETS, EDITIONS
from itm_tutorial.show.canvas import to_html

ALL = "all categories"
ORDERS = {
    "highest first": lambda row: -row["value"],
    "by year": lambda row: (row["year"] or 9999, row["value"]),
    "by name": lambda row: row["method"].lower(),
}
HEADS = ("method", "note", "year", "result", "", "chapter")
CELL = "padding: 1px 14px 1px 0; text-align: left"


def literature_explorer(dataset: str = "Flickr30K", measure: str = "i2t R@1", edition: str = "2020"):
    """Makes a browser of published results: choose a metric, category and years, sort, filter, and see the paper.

    Tab goes from control to control, arrows move a choice, Enter applies the filter.

    Args:
        dataset, measure, edition: to begin with.

    Returns:
        The widget. ``record(dataset, metric, direction, edition)`` is the figure of its default state.

    Raises:
        ItmError: as for ``record``.
    """
    import ipywidgets as widgets

    reported(dataset, measure.partition(" ")[2], measure.partition(" ")[0], edition)  # refuses unknown names
    known = papers()
    controls = {
        "edition": widgets.Dropdown(options=EDITIONS, value=edition, description="Edition"),
        "dataset": widgets.Dropdown(options=_datasets(edition), value=dataset, description="Data set"),
        "measure": widgets.Dropdown(options=_measures(dataset, edition), value=measure, description="Measure"),
        "category": widgets.Dropdown(options=[ALL, *dict.fromkeys(known.section)], value=ALL, description="Category"),
        "years": widgets.SelectionRangeSlider(
            options=list(range(known.year.min(), known.year.max() + 1)),
            index=(0, int(known.year.max() - known.year.min())),
            description="Years",
            continuous_update=False,
        ),
        "order": widgets.Dropdown(options=list(ORDERS), value="highest first", description="Sort"),
        "filter": widgets.Text(placeholder="part of a name, Enter", description="Filter", continuous_update=False),
        "row": widgets.Dropdown(description="Row"),
    }
    view, details, listed = widgets.HTML(), widgets.HTML(), widgets.HTML()
    state: dict[str, Any] = {"rows": [], "turning": False}

    def chosen() -> dict[str, Any]:
        years, category = controls["years"].value, controls["category"].value
        everything = controls["years"].index == (0, len(controls["years"].options) - 1)
        direction, _, metric = controls["measure"].value.partition(" ")
        return {
            "dataset": controls["dataset"].value,
            "metric": metric,
            "direction": direction,
            "edition": controls["edition"].value,
            "category": None if category == ALL else category,
            "years": None if everything else tuple(years),
        }

    def show(change=None) -> None:
        if state["turning"]:
            return
        wanted = controls["filter"].value.strip().lower()
        found = [row for row in reported(**chosen()) if wanted in row["method"].lower()]
        state["rows"] = sorted(found, key=ORDERS[controls["order"].value])
        view.value = to_html(record(**chosen()))
        listed.value = _table(state["rows"])
        controls["row"].options = [(_row(row), place) for place, row in enumerate(state["rows"])]
        controls["row"].value = 0 if state["rows"] else None
        show_details()

    def show_details(change=None) -> None:
        place = controls["row"].value
        empty = place is None or place >= len(state["rows"])
        details.value = "<p>No row fits these choices.</p>" if empty else _details(state["rows"][place])

    def turn(change=None) -> None:
        """Offers the data sets of the edition and the measures of the data set, and keeps what is still there."""
        state["turning"] = True
        _offer(controls["dataset"], _datasets(controls["edition"].value))
        _offer(controls["measure"], _measures(controls["dataset"].value, controls["edition"].value))
        state["turning"] = False
        show()

    for name, control in controls.items():
        react = show_details if name == "row" else turn if name in ("edition", "dataset") else show
        control.observe(react, names="value")
    show()
    names = list(controls)
    rows = [widgets.HBox([controls[name] for name in part]) for part in (names[:3], names[3:5], names[5:])]
    return widgets.VBox([*rows, details, view, listed])


def _offer(control, options: list[str]) -> None:
    """Sets the options of a list; the chosen one stays if it is among them."""
    value = control.value if control.value in options else options[0]
    if list(control.options) != options:
        control.options = options
        control.value = value


def _datasets(edition: str) -> list[str]:
    there = set(results(edition).dataset)
    return [dataset for dataset in DATASETS if dataset in there]


def _measures(dataset: str, edition: str) -> list[str]:
    frame = results(edition)
    frame = frame[(frame.dataset == dataset) & frame.value.notna()]
    if frame.empty:
        raise ItmError(f"{dataset} has no results in the edition of {edition}: take the edition of 2025")
    return list(dict.fromkeys(f"{row.direction} {row.metric}" for row in frame.itertuples()))


def _row(row: dict[str, Any]) -> str:
    note = f" ({row['note']})" if row["note"] else ""
    return f"{row['method']}{note}: {row['value']:g}"


def _details(row: dict[str, Any]) -> str:
    """The citation of a row with its links, and what is known about its result."""
    unlisted = "its paper is not among the survey's 78, so its year is not known here"
    cited = paper_links(row["key"]) if row["key"] else html.escape(unlisted)
    sort = {"ensemble": " An ensemble.", "doubtful": " <b>Doubtful.</b>"}.get(row["sort"], "")
    remark = f" {html.escape(row['remark'])}." if row["remark"] else ""
    return f"<p><b>{html.escape(_row(row))}</b>. {cited}.{sort}{remark}</p>"


def _table(rows: list[dict[str, Any]]) -> str:
    heads = "".join(f'<th scope="col" style="{CELL}">{name}</th>' for name in HEADS)
    known, body = papers().set_index("key"), ""
    for row in rows:
        sort = "" if row["sort"] == "single model" else row["sort"]
        plain = [html.escape(str(cell)) for cell in (row["note"], row["year"] or "?", f"{row['value']:g}", sort)]
        method, chapter = html.escape(row["method"]), ""
        if row["key"]:
            paper = known.loc[row["key"]]
            method, chapter = link(paper.paper, row["method"]), chapter_link(paper.chapter)
        body += "<tr>" + "".join(f'<td style="{CELL}">{cell}</td>' for cell in (method, *plain, chapter)) + "</tr>"
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div style="max-height: 16em; overflow-y: auto" tabindex="0">{table}</div>'

"""An executed notebook as a page: figures become files, widgets a picture of their first state, answers stay folded."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
from pathlib import Path
from typing import Any

from itm_tutorial.course.editions import ANSWER
from itm_tutorial.course.site.links import Links

FIGURES = "figures"  # the site's folder for the figures of notebooks
WIDGET, STATE = "application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json"
_PICTURE = re.compile(r"<img\b[^>]*?src=\"data:image/png;base64,([^\"]+)\"[^>]*>")
_CHOICE = ("_options_labels", "index")  # of a menu


def page_of(notebook: Any, name: str, folder: Path, links: Links, note: str = "") -> Any:
    """Makes the page of an executed notebook.

    Args:
        notebook: the executed notebook, as nbformat reads it; it is changed.
        name: its path from the root, such as "notebooks/00_start_here.ipynb".
        folder: the site's folder of extra files, to which figures are written.
        links: what rewrites its links.
        note: a line of Markdown that is put below the first cell.

    Returns:
        The notebook that Sphinx reads.
    """
    import nbformat

    states = notebook.metadata.pop("widgets", {}).get(STATE, {}).get("state", {})
    stem = Path(name).stem
    for cell in notebook.cells:
        if cell["cell_type"] == "markdown":
            cell["source"] = links.rewritten(cell["source"], name)
            continue
        if ANSWER in cell["metadata"].get("tags", ()):
            cell["metadata"]["tags"] = [*cell["metadata"]["tags"], "remove-input"]
        cell["outputs"] = [_output(output, states, stem, folder) for output in cell["outputs"]]
        for output in cell["outputs"]:
            if "text/html" in output.get("data", {}):
                output["data"]["text/html"] = links.in_html(output["data"]["text/html"], name)
    if note:
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(note))
    return notebook


def _output(output: Any, states: dict, stem: str, folder: Path) -> Any:
    """An output without a widget and without pictures inside its HTML."""
    data = output.get("data", {})
    if WIDGET in data:
        shown = _still(data[WIDGET]["model_id"], states)
        data = {"text/html": f'<div class="widget-still">{shown}</div>', "text/plain": ""}
        output["output_type"], output["metadata"] = "display_data", {}
        output.pop("execution_count", None)
    if "text/html" in data:
        data["text/html"] = _PICTURE.sub(lambda found: _to_file(found, stem, folder), _text(data["text/html"]))
        output["data"] = data
    return output


def _to_file(found: re.Match, stem: str, folder: Path) -> str:
    """An <img> whose picture lies in a file, under a name made from its content, with its height beside its width."""
    from PIL import Image

    picture = base64.b64decode(found[1])
    file = folder / FIGURES / stem / f"{hashlib.sha256(picture).hexdigest()[:16]}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(picture)
    tag = found[0].replace(f"data:image/png;base64,{found[1]}", f"../{FIGURES}/{stem}/{file.name}")
    width = re.search(r'\bwidth="(\d+)"', tag)
    if width:  # the page keeps its place before the picture has come
        wide, high = Image.open(io.BytesIO(picture)).size
        tag = tag.replace(width[0], f'{width[0]} height="{round(int(width[1]) * high / wide)}"')
    return tag.replace("<img ", '<img loading="lazy" ', 1)


def _still(model: str, states: dict) -> str:
    """The first state of a widget as HTML: what it shows, and a line on what can be changed in the notebook."""
    shown, controls = [], []
    _collect(model, states, shown, controls, set())
    line = "; ".join(controls)
    told = f" You can change: {line}." if line else ""
    return f'<p class="widget-note">This figure is interactive in the notebook.{told}</p>' + "".join(shown)


def _collect(model: str, states: dict, shown: list[str], controls: list[str], met: set[str]) -> None:
    """Walks through a widget and its children, in their order."""
    if model in met or model not in states:
        return
    met.add(model)
    kind, state = states[model]["model_name"], states[model]["state"]
    if kind == "HTMLModel":
        shown.append(f"<div>{state.get('value', '')}</div>")
    elif kind == "ImageModel":
        shown.append(_image(states[model], state))
    elif kind not in ("VBoxModel", "HBoxModel", "GridBoxModel", "BoxModel", "TabModel", "AccordionModel"):
        controls += _control(state)
    for child in state.get("children", ()):
        _collect(child.removeprefix("IPY_MODEL_"), states, shown, controls, met)


def _image(model: dict, state: dict) -> str:
    data = next((part["data"] for part in model.get("buffers", ()) if part["path"] == ["value"]), "")
    alt = html.escape(str(state.get("alt") or state.get("tooltip") or "A picture of the widget."), quote=True)
    return f'<img alt="{alt}" src="data:image/png;base64,{data}">' if data else ""


def _control(state: dict) -> list[str]:
    """A control in words: its name and its value; nothing where it has no name."""
    name, value = state.get("description"), state.get("value")
    labels, chosen = (state.get(key) for key in _CHOICE)
    if labels and isinstance(chosen, int):
        value = labels[chosen]
    if not name:
        return []
    told = f"{name} ({value})" if isinstance(value, str | int | float) and not isinstance(value, bool) else str(name)
    return [html.escape(" ".join(told.split()))]


def _text(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)

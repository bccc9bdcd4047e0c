"""Each chapter in JupyterLab, in a real browser: it runs, and every control of every widget changes what is shown.

Controls are found by the classes of ipywidgets and operated with the keyboard alone.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from itm_tutorial.course.patience import SILENCE, Pulse

SHOTS = Path(__file__).parents[2] / "build" / "browser"
CHAPTERS = (
    "00_start_here",
    "01_devise",
    "02_vsepp",
    "03_scan",
    "04_timam",
    "10_sentences",
    "11_fragments",
    "12_correlation",
    "13_writing",
    "14_early_attention",
    "15_attention",
    "21_after_2020",
    "90_literature",
)
WITHOUT_WIDGETS = ("11_fragments", "12_correlation", "14_early_attention", "21_after_2020")
ROOTS = ".jp-OutputArea-output > .jupyter-widgets, .jp-OutputArea-output .jupyter-widgets-view > .jupyter-widgets"
CONTROLS = {  # kind -> what is focused; texts come late, for they may leave little to choose from
    "dropdown": "select",
    "slider": ".noUi-handle",
    "checkbox": "input[type=checkbox]",
    "radio": "input[type=radio]:checked",
    "button": "button:not(.widget-play *)",
    "number": "input[type=number]",
    "text": "input[type=text], input:not([type]), textarea",
    "play": ".widget-play button:first-child",  # a bar that moves a slider; its other buttons stop and repeat
}
TRIES = {"slider": 10, "dropdown": 3}  # steps of which one must change what is shown: a year may have no paper
NOISE = (  # what JupyterLab itself writes to the console as an error
)
SHOWN = """root => {  // what a widget shows, apart from its controls
    const seen = [...root.querySelectorAll('img')].map(image => image.src);
    for (const part of root.querySelectorAll('.widget-html-content, .widget-label, .jp-RenderedHTMLCommon, pre, svg'))
        seen.push(part.innerHTML);
    return JSON.stringify(seen);
}"""
PICTURES = "root => JSON.stringify([...root.querySelectorAll('img')].map(image => image.src))"
REQUESTS = """() => {  // notes the requests of widgets that the kernel has not finished; they may run beside its cells
    window.asked = new Set();
    window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.anyMessage.connect((_, {msg, direction}) => {
        if (direction === 'send' && msg.header.msg_type === 'comm_msg') window.asked.add(msg.header.msg_id);
        if (msg.header.msg_type === 'status' && msg.content.execution_state === 'idle')
            window.asked.delete(msg.parent_header.msg_id);
    });
}"""
ROUNDS = 4  # answers of the kernel after which a control is known to have changed nothing

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


def wait_until(page, lab, condition, what):
    """Waits for a condition in the page, as long as the server or its kernels show signs of life."""
    from playwright.sync_api import TimeoutError as NotYet

    pulse = Pulse()
    while True:
        try:
            return page.wait_for_function(condition, timeout=2000)
        except NotYet:
            assert pulse.look(lab.pid) < SILENCE, f"{what}: no sign of life"


def run_all(page, lab, name):
    """Opens a notebook, runs all of its cells, and returns its code cells with their outputs."""
    page.goto(lab.url(name))
    ready = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    wait_until(page, lab, ready, f"{name}: the kernel starts")
    page.evaluate(REQUESTS)
    page.evaluate(
        "() => { window.ran = null; window.jupyterapp.commands.execute('notebook:run-all-cells')"
        ".then(() => { window.ran = true; }, error => { window.ran = String(error); }); }"
    )
    wait_until(page, lab, f"() => window.ran !== null && ({ready})()", f"{name}: its cells run")
    return page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells.filter(c => c.cell_type === 'code')"
    )


def kernel_answers(page, lab):
    """Returns when the kernel has done all that widgets asked it to, and the page has drawn it."""
    page.wait_for_timeout(100)  # for the page to ask
    wait_until(page, lab, "() => window.asked.size === 0", "a widget's request")
    page.wait_for_timeout(100)


def settled(page, lab, root):
    """What a widget shows, once nothing that was asked before changes it any more."""
    shown = None
    while (now := root.evaluate(SHOWN)) != shown:
        shown = now
        kernel_answers(page, lab)
        page.wait_for_timeout(200)
    return shown


def changed(page, lab, root, before):
    """Whether what a widget shows differs from before, as soon as the kernel has answered."""
    for _ in range(ROUNDS):
        if root.evaluate(SHOWN) != before:
            kernel_answers(page, lab)
            return True
        kernel_answers(page, lab)
    return root.evaluate(SHOWN) != before


def press(page, kind, arrow):
    """Moves a list or a slider by one. Arrows alone would move JupyterLab to another cell; Alt+Down opens the list."""
    for key in ("Alt+ArrowDown", arrow, "Enter") if kind == "dropdown" else (arrow,):
        page.keyboard.press(key)


def operate(page, control, kind, tries=1):
    """Gives a control another value, with the keyboard alone; ``tries`` says how many are left."""
    control.focus()
    assert control.evaluate("one => one === document.activeElement"), f"the {kind} cannot be reached by keyboard"
    if kind == "dropdown":
        last = control.evaluate("one => one.selectedIndex === one.options.length - 1")
        press(page, kind, "ArrowUp" if last else "ArrowDown")
    elif kind == "slider":  # to the right first; one that stands at its end then goes to the left
        press(page, kind, "ArrowRight" if tries > TRIES["slider"] // 2 else "ArrowLeft")
    elif kind in ("checkbox", "button", "play"):
        page.keyboard.press("Space")
    elif kind == "radio":
        page.keyboard.press("ArrowDown")
    else:
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(other_value(control, kind))
        page.keyboard.press("Enter")


def other_value(control, kind):
    """A value that differs: one of those that a text proposes, or the text without its last word."""
    value = control.input_value()
    if kind == "number":
        return str(float(value or 0) + 1).removesuffix(".0")
    offered = control.evaluate("one => [...(one.list?.options ?? [])].map(option => option.value)")
    words = value.split()
    return next(
        (other for other in offered if other != value), " ".join(words[:-1] if len(words) > 1 else ["a", "dog"])
    )


def usable(control, kind):
    """Whether a control can be operated now, and would then change something."""
    if not control.is_visible() or not control.is_enabled():
        return False
    if kind == "dropdown":
        return control.evaluate("one => one.options.length > 1")
    made = "one => one.classList.contains('mod-active') && one.closest('.widget-toggle-buttons') !== null"
    return not control.evaluate(made)  # the choice of several that is made already


def label(control):
    """What a person reads at a control."""
    return control.evaluate(
        "one => (one.closest('.jupyter-widgets')?.querySelector('.widget-label')?.innerText || one.innerText || '?')"
        ".trim().slice(0, 40)"
    )


def choose(page, lab, root, control, index):
    """Moves a list back to an entry."""
    for _ in range(control.evaluate("one => one.options.length")):
        if (now := control.evaluate("one => one.selectedIndex")) == index:
            return
        before = root.evaluate(SHOWN)
        control.focus()
        press(page, "dropdown", "ArrowUp" if now > index else "ArrowDown")
        changed(page, lab, root, before)


def operate_all(page, lab, root):
    """Operates every control of a widget -> what was operated, what changed nothing, and the pictures seen."""
    root.scroll_into_view_if_needed()
    operated, dead, pictures = [], [], {root.evaluate(PICTURES)}
    for kind, selector in CONTROLS.items():
        for control in root.locator(selector).all():
            if not usable(control, kind):
                continue
            before, tries = settled(page, lab, root), TRIES.get(kind, 1)
            operated.append(f"{kind} {label(control)}")
            first = control.evaluate("one => one.selectedIndex")
            while tries and root.evaluate(SHOWN) == before:
                operate(page, control, kind, tries)
                tries = 0 if changed(page, lab, root, before) else tries - 1
            if root.evaluate(SHOWN) == before:
                dead.append((operated[-1], kind, control))
            pictures.add(root.evaluate(PICTURES))
            if kind == "play":
                page.keyboard.press("Space")  # a pause, so that what changes next is the next control's
            elif kind == "dropdown":  # back to what it was, so that the next control has as much to choose from
                choose(page, lab, root, control, first)
    for last in [one for one in dead if one[1] == "button" and usable(one[2], "button")]:
        before = settled(page, lab, root)  # a button may have stood for what was shown; now the others were pressed
        operate(page, last[2], "button")
        if changed(page, lab, root, before):
            dead.remove(last)
    return operated, [what for what, _, _ in dead], pictures


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_and_every_widget_changes_what_it_shows(page, lab, name):
    cells = run_all(page, lab, name)
    errors = [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]
    assert [f"{error['ename']}: {error['evalue']}" for error in errors] == []
    assert all(cell["execution_count"] for cell in cells if cell["source"].strip())
    page.screenshot(path=SHOTS / f"{name}.png")
    any_control = ", ".join(CONTROLS.values())
    still, widgets = [], [root for root in page.locator(ROOTS).all() if root.locator(any_control).count()]
    assert bool(widgets) == (name not in WITHOUT_WIDGETS)  # a bar has no control, and is none
    for n, root in enumerate(widgets):
        operated, dead, pictures = operate_all(page, lab, root)
        still += dead
        root.screenshot(path=SHOTS / f"{name}-{n}.png")
        assert operated, f"widget {n} has no control that can be used"
        assert pictures == {"[]"} or len(pictures) > 1, f"no control changed the picture of widget {n}: {operated}"
    assert still == [], "these controls changed nothing that is shown"
    errors = [output for output in outputs_of(page) if output["output_type"] == "error"]
    assert errors == []
    assert unexpected(page) == []


TOY = """
import ipywidgets as w
from IPython.display import display

view, names = w.HTML(), ("list", "places", "span", "tick", "one of", "word", "number", "turned")
made = [w.Dropdown(options=["a", "b"]), w.IntSlider(), w.IntRangeSlider(value=(0, 100)), w.Checkbox(),
    w.ToggleButtons(options=["x", "y"]), w.Text("a red van"), w.IntText(3),
    w.ToggleButton(value=True, description="on")]
press, dead, play, n = w.Button(description="press"), w.Button(description="dead"), w.Play(interval=50, max=5), [0]

def show(change=None):
    n[0] += 1
    picture = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><text>%d</text></svg>" % n[0]
    view.value = f'<img src="{picture}">'

for name, control in zip(names, made):
    control.description = control.description or name
    control.observe(show, names="value")
press.on_click(show)
play.observe(show, names="value")
show()
display(w.VBox([*made, press, dead, play, view]))
"""


def test_a_control_that_changes_nothing_is_found(page, lab):
    """The test of this test: every kind of control is operated, and only the dead one is named."""
    lab.add("toy", TOY)
    run_all(page, lab, "toy")
    (root,) = [one for one in page.locator(ROOTS).all() if one.locator("select").count()]
    operated, dead, pictures = operate_all(page, lab, root)
    kinds = [what.split()[0] for what in operated]
    expected = {"dropdown": 1, "slider": 3, "checkbox": 1, "button": 4, "number": 1, "text": 1, "play": 1}
    assert {kind: kinds.count(kind) for kind in kinds} == expected, operated
    assert dead == ["button dead"] and len(pictures) > 10
    assert unexpected(page) == []


def outputs_of(page):
    """All outputs of the notebook as they are now, those that a widget captured included."""
    return page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells.flatMap(c => c.outputs ?? [])"
    )


def unexpected(page):
    """What the console calls an error, without what JupyterLab itself writes."""
    return [line for line in page.complaints if not any(re.search(known, line) for known in NOISE)]

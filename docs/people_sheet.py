"""Draws the sheet of the drawn people: twelve identities, three views of each, and one description.

python docs/people_sheet.py
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

import itm_tutorial as itm
from itm_tutorial.data.corpus import Split

VIEWS, COLUMNS, ROWS = 3, 3, 4
SHOWN = {  # one identity for each, so that the sheet shows a variety
    "upper": ("dress", "hoodie", "coat"),
    "print": ("heart",),
    "hat": ("sun hat",),
    "umbrella": ("red",),
    "bag": ("shoulder bag",),
    "pattern": ("checked",),
    "hair_style": ("ponytail",),
}


def chosen(split: Split) -> Iterator[tuple[list[int], str]]:
    """Images of each identity and a title; the last ones are two look-alikes and a man with a backpack."""
    images: dict[int, list[int]] = {}
    for image, who in enumerate(split.identity.tolist()):
        images.setdefault(who, []).append(image)
    people = {who: split.facts.scenes[some[0]].person for who, some in images.items() if len(some) >= VIEWS}
    pairs = {(split.identity[a].item(), split.identity[b].item()): kind for a, b, kind in split.facts.minimal_pairs}
    swapped = [pair for pair, kind in pairs.items() if kind == "binding" and set(pair) <= set(people)]
    one, other = next(pair for pair in swapped if people[pair[0]].upper_colour in ("blue", "red", "navy", "white"))
    alone = set(people) - {one, other}
    for attribute, values in SHOWN.items():
        for value in values:
            who = min(who for who in alone if getattr(people[who], attribute) == value)
            alone -= {who, who + 1, who - 1}  # not beside a look-alike of the same person
            yield images[who], f"person {who}"
    yield images[one], f"person {one}, and a look-alike:"
    yield images[other], f"person {other}, with the two colours exchanged"
    who = min(who for who in alone if (people[who].sex, people[who].bag) == ("man", "backpack"))
    yield images[who], f"person {who}"


def place(figure: Figure, split: Split, images: list[int], title: str, row: int, column: int) -> None:
    """Draws one identity: its views side by side, the title above, a description of one of them below."""
    x, y, step = 0.006 + column / COLUMNS, 1 - (row + 0.785) / ROWS, 0.98 / VIEWS / COLUMNS
    for number, image in enumerate(images[:VIEWS]):
        axes = figure.add_axes((x + number * step, y, 0.97 * step, 0.73 / ROWS))
        axes.imshow(split.images[image].permute(1, 2, 0).numpy(), aspect="auto")
        axes.set_axis_off()
    caption = min((c for i in images for c in split.captions_of(i)), key=lambda text: abs(len(text) - 125))
    figure.text(x, y - 0.005, textwrap.fill(caption, 58), fontsize=10, va="top", color="#2c2c34")
    figure.text(x, y + 0.734 / ROWS, title, fontsize=10, va="bottom", color="#66666e")


if __name__ == "__main__":
    split = itm.load_corpus("people", image_size=192).test
    figure = Figure(figsize=(15, 4.25 * ROWS))
    for number, (images, title) in enumerate(chosen(split)):
        place(figure, split, images, title, *divmod(number, COLUMNS))
    file = Path(__file__).parent / "images" / "people.png"
    figure.savefig(file, dpi=72)
    Image.open(file).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"drawn in {file}: {file.stat().st_size / 1000:.0f} kB")

"""Draws the sheets of the birds and the flowers: one image of each of 15 training classes, with a caption.

python docs/species_sheet.py
"""

from pathlib import Path

from PIL import Image

import itm_tutorial as itm

RARE_TOO = Image.Quantize.MAXCOVERAGE  # 256 colours for a small file; the most common ones would all belong to the sky

if __name__ == "__main__":
    for name in ("birds", "flowers"):
        split = itm.load_corpus(name).train
        first: dict[int, int] = {}
        for image, number in enumerate(split.identity.tolist()):
            first.setdefault(number, image)
        figure = itm.show.pictures(split, list(first.values())[:15], columns=5)
        file = Path(__file__).parent / "images" / f"{name}.png"
        figure.savefig(file, dpi=72)
        Image.open(file).convert("RGB").quantize(256, RARE_TOO, kmeans=2).save(file, optimize=True)
        print(f"drawn in {file}, {file.stat().st_size / 1000:.0f} kB: {itm.show.alt_text(figure)}")

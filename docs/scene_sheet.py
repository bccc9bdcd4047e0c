"""Draws docs/images/scenes.png: 24 scenes of the test split, each with a caption.

python docs/scene_sheet.py
"""

from pathlib import Path

import itm_tutorial as itm

if __name__ == "__main__":
    corpus = itm.load_corpus("scenes")
    figure = itm.show.pictures(corpus.test, range(0, 24 * 7, 7), columns=6)  # every seventh: no minimal pairs
    file = Path(__file__).parent / "images" / "scenes.png"
    figure.savefig(file, dpi=72)
    print(f"drawn in {file}: {itm.show.alt_text(figure)}")

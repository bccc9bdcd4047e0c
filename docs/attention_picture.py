"""Draws README's picture, which region each word attends to, and the small figure of chapter 03, from a SCAN that is
trained for three epochs and kept in runs/attention_picture.

python docs/attention_picture.py
"""

from pathlib import Path

from thumbnails import IMAGES, save_small

import itm_tutorial as itm

CAPTION = 995  # of the test split: chosen because its picture is easy to read
WORDS = ["boy", "yellow", "right", "brown", "cow", "white", "dog"]  # two rows of panels
EPOCHS = 3
KEPT = Path(__file__).parents[1] / "runs" / "attention_picture"


def trained_scan(corpus):
    """The kept model, or else one that is trained now."""
    if not (KEPT / "model.json").exists():
        model = itm.create_model("scan", corpus, seed=0)
        itm.fit(model, corpus, epochs=EPOCHS, seed=0)
        itm.save_model(model, KEPT)
    return itm.load_model(KEPT)


if __name__ == "__main__":
    corpus = itm.load_corpus("scenes")
    seen = itm.attend(trained_scan(corpus), corpus.test, captions=[CAPTION])
    figure = itm.show.attention(seen, corpus.test, 0, words=WORDS, columns=4)
    save_small(figure, IMAGES / "attention.png", width=1600, colours=256)
    save_small(itm.show.attention(seen, corpus.test, 0, words=["cow"], columns=2), IMAGES / "ch03.png")

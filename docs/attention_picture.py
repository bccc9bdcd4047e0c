"""Draws README's picture, which region each word attends to, and the small figure of chapter 03, from a SCAN that is
trained for three epochs and kept in runs/attention_picture.

python docs/attention_picture.py
"""

from pathlib import Path

from thumbnails import IMAGES, save_small

import itm_tutorial as itm

CAPTION = 0  # of the test split
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
    save_small(itm.show.attention(seen, corpus.test, 0, columns=4), IMAGES / "attention.png", width=1600, colours=256)
    noun = next(word for word, _ in corpus.test.groundings[CAPTION])
    save_small(itm.show.attention(seen, corpus.test, 0, words=[noun], columns=2), IMAGES / "ch03.png")

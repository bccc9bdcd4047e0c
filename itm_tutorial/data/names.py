"""The names of corpora and splits; listing them loads neither torch nor a corpus."""

from __future__ import annotations

SPLITS = ("train", "val", "test")
ALL_SPLITS = (*SPLITS, "unseen")  # "unseen" exists only where training does not show some of the classes
DRAWN = ("scenes", "objects", "people", "birds", "flowers")
PRECOMP = ("f30k_precomp", "coco_precomp", "cc152k_precomp")  # published region features
# corpus -> the module below data/readers that reads it
PUBLISHED = {
    "flickr8k": "flickr8k",
    "flickr30k": "flickr30k",
    "coco": "coco",
    **dict.fromkeys(("cuhk_pedes", "icfg_pedes", "rstpreid"), "person_search"),
    **dict.fromkeys(("cub", "oxford102"), "descriptions"),
    **dict.fromkeys(PRECOMP, "precomp"),
    "shards": "shards",
    "photos": "photos",  # last: it recognises any folder of captioned photographs
}
OWN = ("photos",)  # read from the folder that the user names, or from the one that was used last
CORPORA = (*DRAWN, *PUBLISHED)


def list_corpora() -> list[str]:
    """The names that ``load_corpus`` knows."""
    return list(CORPORA)

"""Your own photographs under test: tables of captions, texts beside photographs, the photographs, and DataFrames."""

from __future__ import annotations

import json
import os
import warnings

import pandas as pd
from PIL import Image
from readers import register

import itm_tutorial as itm
from itm_tutorial.data.readers import photos

N = 5
ROWS = [(f"pic{i}.png", f"a dog, number {i}", "train" if i < 3 else ("val", "test")[i % 2]) for i in range(N)]


def _photographs(folder):
    for i, (name, _, _) in enumerate(ROWS):
        Image.new("RGB", (6, 5), (40 * i, 90, 200)).save(folder / name)


def make_csv(folder):
    _photographs(folder)
    lines = [f'{name},"{caption}",{split}' for name, caption, split in ROWS]
    (folder / "metadata.csv").write_text("\n".join(["file_name,caption,split", *lines]) + "\n")


def make_json_lines(folder):
    _photographs(folder)
    rows = [{"file_name": name, "text": [caption, "a dog"], "identity": i} for i, (name, caption, _) in enumerate(ROWS)]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def make_parquet(folder):
    _photographs(folder)
    pd.DataFrame(ROWS, columns=["file_name", "caption", "split"]).to_parquet(folder / "metadata.parquet")


def make_texts(folder):
    _photographs(folder)
    for name, caption, _ in ROWS:
        (folder / name).with_suffix(".txt").write_text(f"{caption}\nanother\n")


def _listed(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is left out
        photos.read_folder(folder)


@register("photos: metadata.csv", make_csv, damaged=("*.csv",))
def read_csv(folder):
    _listed(folder)


@register("photos: metadata.jsonl", make_json_lines, damaged=("*.jsonl",))
def read_json_lines(folder):
    _listed(folder)


@register("photos: metadata.parquet", make_parquet, damaged=("*.parquet",))
def read_parquet(folder):
    _listed(folder)


@register("photos: texts beside photographs", make_texts, damaged=("*.txt",))
def read_texts(folder):
    _listed(folder)


@register("photos: prepared and loaded", make_csv, damaged=("*.png", "*.csv"))
def load_photographs(folder):
    os.environ["ITM_CACHE"] = str(folder / "cache")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        corpus = itm.load_corpus("photos", folder=folder)
    for split in corpus.splits.values():
        split.images[0]


def make_last(folder):
    make_csv(folder)
    os.environ["ITM_CACHE"] = str(folder / "cache")
    itm.load_corpus("photos", folder=folder)


@register("photos: what was prepared and used last", make_last, damaged=("cache/**/*.json",))
def load_last(folder):
    os.environ["ITM_CACHE"] = str(folder / "cache")
    itm.load_corpus("photos", folder=folder)
    itm.load_corpus("photos")


@register("a DataFrame of files", make_csv, damaged=("*.png",))
def read_table(folder):
    table = pd.DataFrame(ROWS, columns=["image", "caption", "split"])
    corpus = itm.corpus_from_table(table, folder=folder)
    for split in corpus.splits.values():
        for i in range(len(split.images)):
            split.images[i]

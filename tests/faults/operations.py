"""What the package writes, as operations that can be killed, starved of disk or run thirty at a time.

Each has ``setup``, which makes its input once; ``act``, which writes; and ``state``, which reads what is there as a
user would and says "absent", "old" or "new". ``state`` raises where it finds anything else: a mixture, a part, other
numbers.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric  # noqa: F401, so that no forked process spends its time on importing it
from PIL import Image

import itm_tutorial as itm
from itm_tutorial.course import leaderboard
from itm_tutorial.data.readers import load, prepare
from itm_tutorial.errors import ItmError

PHOTOGRAPHS, ROWS = 24, 20  # photographs of the made-up data set; rows that one leaderboard run adds
TRAINING = {"epochs": 4, "batch_size": 20, "device": "cpu", "progress": False}


@dataclass(frozen=True)
class Operation:
    """Something that writes.

    Attributes:
        setup: makes the input in an empty folder.
        act: does it, for the folder.
        state: "absent", "old" or "new"; raises an ``AssertionError`` or anything else where it is none of these.
        shared: whether thirty processes may do it at once and end with one result.
    """

    setup: Callable[[Path], None]
    act: Callable[[Path], None]
    state: Callable[[Path], str]
    shared: bool = True


def photographs(folder: Path) -> None:
    """A small Flickr8k in its published layout."""
    (folder / "set/Flicker8k_Dataset").mkdir(parents=True)
    (folder / "set/Flickr8k_text").mkdir()
    names = [f"{i:02}.jpg" for i in range(PHOTOGRAPHS)]
    for i, name in enumerate(names):
        noise = np.random.default_rng(i).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((224, 224)).save(folder / "set/Flicker8k_Dataset" / name)
    parts = {"train": names[:16], "dev": names[16:20], "test": names[20:]}
    for part, some in parts.items():
        (folder / f"set/Flickr8k_text/Flickr_8k.{part}Images.txt").write_text("\n".join(some))
    lines = [f"{name}#{k}\tA picture number {i} ." for i, name in enumerate(names) for k in range(5)]
    (folder / "set/Flickr8k_text/Flickr8k.token.txt").write_text("\n".join(lines))


def published_features(folder: Path) -> None:
    """A small set of published features."""
    (folder / "set").mkdir()
    for seed, (part, n) in enumerate({"train": 40, "dev": 10, "test": 10}.items()):
        np.save(folder / f"set/{part}_ims.npy", np.random.default_rng(seed).standard_normal((n, 16)).astype("float32"))
        (folder / f"set/{part}_caps.txt").write_text("".join(f"a word{i} of {k}\n" for i in range(n) for k in range(5)))


def _prepare(folder: Path) -> None:
    prepare("flickr8k", folder / "set")


def _prepared(folder: Path) -> str:
    if not (Path(os.environ["ITM_CACHE"]) / "corpora/flickr8k").exists():
        return "absent"
    corpus = load("flickr8k")
    assert [len(split.images) for split in corpus.splits.values()] == [16, 4, 4]
    for split in corpus.splits.values():
        for i, image in enumerate(split.images):
            assert tuple(image.shape) == (3, 224, 224) and len(split.captions_of(i)) == 5
    return "new"


def _draw(folder: Path) -> None:
    itm.load_corpus("scenes", size="tiny", image_size=32)


def _drawn(folder: Path) -> str:
    made = list((Path(os.environ["ITM_CACHE"]) / "corpora").glob("scenes-tiny-*[0-9a-f]"))
    if not made:
        return "absent"
    images = itm.load_corpus("scenes", size="tiny", image_size=32).train.images
    digest = hashlib.sha256(images.numpy().tobytes()).hexdigest()
    return _same("drawn", digest)


@cache
def _weights() -> dict:
    torch.manual_seed(0)
    from torchvision.models import mobilenet_v2

    return mobilenet_v2(weights=None).state_dict()


def _photographs_and_weights(folder: Path) -> None:
    from itm_tutorial.encoders.backbones import weights_file

    photographs(folder)
    os.environ["TORCH_HOME"] = str(folder / "torch")
    weights_file("mobilenet_v2").parent.mkdir(parents=True)
    torch.save(_weights(), weights_file("mobilenet_v2"))


def _extract(folder: Path) -> None:
    os.environ["TORCH_HOME"] = str(folder / "torch")
    _prepare(folder)
    itm.features(load("flickr8k")).train  # noqa: B018


def _extracted(folder: Path) -> str:
    os.environ["TORCH_HOME"] = str(folder / "torch")
    if _prepared(folder) == "absent":
        return "absent"
    whole = list((Path(os.environ["ITM_CACHE"]) / "features").glob("*/*[0-9a-f]"))
    if not whole:
        return "absent"
    found = itm.features(load("flickr8k")).train
    assert tuple(found.shape) == (16, 1280)
    return _same("features", hashlib.sha256(found.numpy().tobytes()).hexdigest())


def _features_and_old_model(folder: Path) -> None:
    published_features(folder)
    prepare("f30k_precomp", folder / "set")
    itm.save_model(_model(0), folder / "model", metrics={"which": "old"}, seed=0)


def _model(seed: int):
    corpus = load("f30k_precomp")
    if seed:  # another vocabulary of the same size, so that the old weights would fit
        corpus = itm_corpus_with_other_words(corpus)
    return itm.create_model("vse", corpus, dim=16, word_dim=8, seed=seed)


def itm_corpus_with_other_words(corpus):
    """The same corpus, with every word spelt backwards."""
    from dataclasses import replace

    turned = [" ".join(word[::-1] for word in caption.split()) for caption in corpus.train.captions]
    return replace(corpus, splits={**corpus.splits, "train": replace(corpus.train, captions=turned)})


def _save(folder: Path) -> None:
    itm.save_model(_model(1), folder / "model", metrics={"which": "new"}, seed=1)


def _saved(folder: Path) -> str:
    if not (folder / "model/model.json").exists():
        raise AssertionError("the old model is gone")
    model = itm.load_model(folder / "model")
    which = json.loads((folder / "model/model.json").read_text())["metrics"]["which"]
    wanted = _model({"old": 0, "new": 1}[which])
    assert model.vocabulary == wanted.vocabulary, "weights of one model, words of another"
    ours, theirs = model.state_dict(), wanted.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs), "a mixture of two models"
    return which


def _train(folder: Path) -> None:
    corpus = load("f30k_precomp")
    model = itm.create_model("vse", corpus, dim=16, word_dim=8)
    itm.fit(model, corpus, folder=folder / "run", **TRAINING)


def _prepared_features(folder: Path) -> None:
    published_features(folder)
    prepare("f30k_precomp", folder / "set")


def _trained(folder: Path) -> str:
    if not (folder / "run/model.json").exists():
        return "absent"
    weights = itm.load_model(folder / "run").state_dict()
    digest = hashlib.sha256(b"".join(weights[name].numpy().tobytes() for name in sorted(weights))).hexdigest()
    return _same("trained", digest)


def _record(folder: Path) -> None:
    for i in range(ROWS):
        leaderboard.record({**_row(), "seed": i}, folder / "board.jsonl")


@cache
def _row() -> dict:
    corpus = itm.load_corpus("scenes", size="tiny", image_size=32)
    metrics = itm.evaluate(torch.rand(3, 6), torch.arange(3).repeat_interleave(2)).as_dict()
    return leaderboard.run_row(itm.create_model("bow", corpus), corpus, metrics, "val", seed=0)


def _recorded(folder: Path) -> str:
    file = folder / "board.jsonl"
    if not file.exists():
        return "absent"
    text = file.read_text(encoding="utf-8")
    rows, damaged = leaderboard.read(file)
    assert not damaged, damaged
    assert text.endswith("\n") or not text, "the last row is cut short"
    seeds = {row["seed"] for row in rows}
    return "new" if len(seeds) >= ROWS else "old"


_SEEN: dict[str, str] = {}


def _same(what: str, digest: str) -> str:
    """Says "new" where a digest is the one of an undisturbed run, which the first call is."""
    if _SEEN.setdefault(what, digest) != digest:
        raise AssertionError(f"{what}: other numbers than those of a run that was never disturbed")
    return "new"


OPERATIONS = {
    "prepare photographs": Operation(photographs, _prepare, _prepared),
    "draw a corpus": Operation(lambda folder: None, _draw, _drawn),
    "extract features": Operation(_photographs_and_weights, _extract, _extracted),
    "train with a folder": Operation(_prepared_features, _train, _trained, shared=False),
    "save a model over another": Operation(_features_and_old_model, _save, _saved),
    "record on a leaderboard": Operation(lambda folder: None, _record, _recorded),
}


WRITES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "shutil.copyfile")


def attempt_until(operation: Operation, folder: Path, last: int = 0) -> int:
    """Acts, and kills its own process just before the ``last`` touch of a file in the folder -> how many there were.

    Where ``last`` is 0 nothing is killed. Touches are Python's audit events: opening, renaming, removing and the like.
    """
    touched = 0

    def count(event: str, arguments: tuple) -> None:
        nonlocal touched
        if event in WRITES and any(str(folder) in str(one) for one in arguments[:2]):
            touched += 1
            if touched == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    operation.act(folder)
    return touched


def attempt(operation: Operation, folder: Path) -> str:
    """Acts -> "done", or the sentence with which the package refused.

    Raises:
        Exception: anything that is not the package's own error.
    """
    try:
        operation.act(folder)
    except ItmError as error:
        return str(error)
    return "done"

"""Makes every cache that the chapters share before the first of them runs: pictures, networks, features.

The work is done in a process of its own, whose memory is free again when the notebooks start. Where several processes
prepare at once, each cache is made by one of them, and the others wait for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable

from itm_tutorial.course.patience import SILENCE, Watch, lasting
from itm_tutorial.encoders.cores import thread_settings
from itm_tutorial.errors import ItmError
from itm_tutorial.progress import LiveLine

FEATURES = {  # corpus -> the kinds of its features that chapters read; seed 0
    "scenes": ("global", "regions"),
    "objects": (),
    "people": ("grid",),
    "birds": ("grid",),
    "flowers": (),
}
# kind of features -> the first images of splits of scenes, which chapters 13, 14, 15 and 21 score
GALLERIES = {
    "global": (("val", 50), ("val", 100), ("test", 20), ("test", 100), ("train", 100)),
    "regions": (("val", 50), ("test", 100)),
}
STEP = "step: "  # begins the line in which the process says what it makes
SHORT = 5.0  # seconds: where all caches are there already, nothing is said


def steps(size: str) -> list[tuple[str, Callable[[], object]]]:
    """What is to be made, in order; a cache that is there is only opened.

    Args:
        size: of the corpora, "tiny" or "mini".

    Returns:
        (what it is, a function that makes it), each.
    """
    from importlib import import_module

    import itm_tutorial as itm
    from itm_tutorial.chapters.small_galleries import first_images
    from itm_tutorial.extraction.features import split_features
    from itm_tutorial.models import FeatureSpec
    from itm_tutorial.pretraining.backbone import load_mini
    from itm_tutorial.pretraining.detector import load_detector
    from itm_tutorial.pretraining.word_vectors import world_words

    def extract(name: str, kind: str) -> None:
        corpus = itm.load_corpus(name, size=size)
        features = itm.features(corpus, kind=kind)
        for split in corpus.splits:
            getattr(features, split)

    def galleries() -> None:
        corpus = itm.load_corpus("scenes", size=size)
        for kind, some in GALLERIES.items():
            for split, n in some:
                split_features(first_images(getattr(corpus, split), n), FeatureSpec(kind))

    made = [
        ("the list of fonts", lambda: import_module("matplotlib.font_manager")),
        ("the backbone", load_mini),
        ("the detector of image regions", load_detector),
        ("word vectors of the drawn world", world_words),
    ]
    made += [(f"drawings of {name}", lambda name=name: itm.load_corpus(name, size=size)) for name in FEATURES]
    made.append(("small drawings of scenes", lambda: itm.load_corpus("scenes", size=size, image_size=64)))  # chapter 21
    made += [
        (f"{kind} features of {name}", lambda name=name, kind=kind: extract(name, kind))
        for name, kinds in FEATURES.items()
        for kind in kinds
    ]
    return [*made, ("features of small galleries of scenes", galleries)]


def prepare_course(size: str = "mini") -> None:
    """Makes the caches that the chapters need, unless they are there; a live line on a terminal says what is made.

    Args:
        size: of the corpora: "mini", as the chapters take, or "tiny", as they take with ITM_FAST=1.

    Raises:
        ItmError: a cache could not be made, or the process that makes them died or showed no sign of life.
    """
    live, start, what, last = LiveLine(), time.perf_counter(), ["the caches"], deque(maxlen=20)
    process = subprocess.Popen(
        [sys.executable, "-m", "itm_tutorial.course.preparation", size],
        env={**os.environ, **thread_settings(), "ITM_PROGRESS": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )

    def tick() -> None:
        live.show(f"before the first notebook: making {what[0]}, {lasting(time.perf_counter() - start)}")

    try:
        with process, Watch(lambda: process.pid, SILENCE, tick) as watch:
            for line in process.stdout:
                watch.pulse.beat()
                if line.startswith(STEP):
                    what[0] = line.removeprefix(STEP).strip()
                elif line.strip():
                    last.append(line.strip())
    except BaseException:
        process.kill()
        raise
    finally:
        live.clear()
    if process.returncode == 0:
        if (seconds := time.perf_counter() - start) > SHORT:
            print(f"itm: what the chapters share is ready after {lasting(seconds)}", file=sys.stderr)
        return
    reason = f"it showed no sign of life for {lasting(SILENCE)}" if watch.ended else (last or ["its process died"])[-1]
    raise ItmError(f"{what[0]} could not be made: {reason.removeprefix('itm: ')}")


def _work(size: str) -> int:
    """Makes everything in this process, and says what it makes."""
    try:
        todo = steps(size)
        for n, (what, make) in enumerate(todo, start=1):
            print(f"{STEP}{what} ({n} of {len(todo)})", flush=True)
            make()
    except ItmError as error:
        print(f"itm: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_work(sys.argv[1]))

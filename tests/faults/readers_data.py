"""Readers of data sets: every published layout, shards, published features, archives, images."""

from __future__ import annotations

import io
import os
import sys
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, features
from readers import register

from itm_tutorial.data import readers
from itm_tutorial.data.readers import precomp
from itm_tutorial.data.readers.archives import unpack
from itm_tutorial.data.readers.photographs import decode

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "readers"))
import layouts  # noqa: E402, a module of the tests of the readers

FORMATS = {  # end of a name -> Pillow's name, modes
    "jpg": ("JPEG", ("RGB", "L", "CMYK")),
    "png": ("PNG", ("RGB", "RGBA", "P", "I;16", "1", "LA")),
    "gif": ("GIF", ("P",)),
    "bmp": ("BMP", ("RGB",)),
    "tif": ("TIFF", ("RGB", "I;16")),
    "webp": ("WEBP", ("RGB", "RGBA")),
    "jp2": ("JPEG2000", ("RGB",)),
    "avif": ("AVIF", ("RGB",)),
    "tga": ("TGA", ("RGB",)),
    "ppm": ("PPM", ("RGB",)),
    "ico": ("ICO", ("RGBA",)),
    "dds": ("DDS", ("RGBA",)),
    "pcx": ("PCX", ("RGB",)),
    "sgi": ("SGI", ("RGB",)),
}


def check(name: str, folder: Path) -> None:
    """Reads a copy from end to end, its photographs too, and changes nothing."""
    readers.check(name, folder)


for _layout, _name in layouts.ALL.items():
    register(f"data set: {_layout}", partial(layouts.make, _layout), writes=())(partial(check, _name))


def prepared(name: str, folder: Path) -> None:
    """Loads a prepared corpus and decodes what it names."""
    os.environ["ITM_CACHE"] = str(folder / "cache")
    corpus = readers.load(name)
    for split in corpus.splits.values():
        for i in range(min(3, len(split.images))):
            if split.precomputed is None:
                split.images[i]
            split.captions_of(i)


def make_prepared(folder: Path) -> None:
    os.environ["ITM_CACHE"] = str(folder / "cache")
    layouts.make("flickr8k_published", folder / "set")
    readers.prepare("flickr8k", folder / "set")


register("prepared corpus", make_prepared, damaged=("cache/corpora/flickr8k/*.json",))(partial(prepared, "flickr8k"))


def make_features(folder: Path) -> None:
    for seed, (part, n) in enumerate({"train": 4, "dev": 2, "test": 2}.items()):
        np.save(folder / f"{part}_ims.npy", np.random.default_rng(seed).standard_normal((n, 3, 4)).astype("float32"))
        layouts.write_lines(folder / f"{part}_caps.txt", [f"a {part} {i}" for i in range(5 * n)])


@register("published features", make_features)
def read_features(folder):
    precomp.read_precomp(folder, "f30k_precomp")
    readers.check("f30k_precomp", folder)


def make_recorded(folder: Path) -> None:
    os.environ["ITM_CACHE"] = str(folder / "cache")
    (folder / "set").mkdir()
    make_features(folder / "set")
    readers.prepare("f30k_precomp", folder / "set")


register("prepared features", make_recorded, damaged=("cache/corpora/*.json",))(partial(prepared, "f30k_precomp"))


def make_parquet(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"image": {"bytes": _image("PNG", "RGB", i), "path": "a.png"}, "caption": [f"a {i}"]} for i in range(6)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "train.parquet")


def make_tar_shard(folder: Path) -> None:
    with tarfile.open(folder / "train.tar", "w") as archive:
        for i in range(6):
            for name, data in ((f"s{i}.png", _image("PNG", "RGB", i)), (f"s{i}.txt", f"a {i}".encode())):
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))


def read_shards(folder: Path) -> None:
    os.environ["ITM_CACHE"] = str(folder / "cache")
    readers.prepare("shards", folder)


for _what, _make in {"Parquet": make_parquet, "webdataset": make_tar_shard}.items():
    register(f"shards: {_what}", _make, damaged=("*.parquet", "*.tar"), writes=("cache/*",))(read_shards)


def make_zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(4):
            archive.writestr(f"set/{i}.txt", f"file {i}\n" * 50)


def make_tar(folder: Path) -> None:
    make_zip(folder)
    with tarfile.open(folder / "a.tgz", "w:gz") as archive:
        archive.add(folder / "a.zip", "set/a.zip")
    (folder / "a.zip").unlink()


def read_archive(name: str, folder: Path) -> None:
    unpack(folder / name, folder / "into")


register("archive: zip", make_zip, writes=("into*",))(partial(read_archive, "a.zip"))
register("archive: tar", make_tar, writes=("into*",))(partial(read_archive, "a.tgz"))


def _image(kind: str, mode: str, seed: int = 0) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).convert("L" if mode in ("I;16", "LA") else "RGB").convert(mode).save(out, kind)
    return out.getvalue()


def make_images(folder: Path) -> None:
    for suffix, (kind, modes) in FORMATS.items():
        if kind == "AVIF" and not features.check("avif"):
            continue
        for mode in modes:
            (folder / f"{mode.replace(';', '')}.{suffix}").write_bytes(_image(kind, mode))


@register("photographs of many formats", make_images)
def read_images(folder):
    for file in sorted(folder.iterdir()):
        decode(file)

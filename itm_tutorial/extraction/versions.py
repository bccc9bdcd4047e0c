"""The weights that features were made with: a part of the cache folder's name, which is read where they are absent."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from itm_tutorial.encoders.backbones import create_backbone, weights_file
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction.regions import BOXES_BY, create_box_detector
from itm_tutorial.models import FeatureSpec, provides
from itm_tutorial.pretraining.backbone import mini_folder
from itm_tutorial.pretraining.detector import detector_folder
from itm_tutorial.storage import cache_dir

ALSO = {"regions": "-confidence", "oracle": "-confidence"}  # in a cache folder's name: older folders lack this tensor

_ASSUMED: dict[tuple[str, str], str] = {}  # (corpus, network) -> the version of cached features read without weights


def kept_folder(fingerprint: str, spec: FeatureSpec) -> Path:
    """The cache folder of a split's features; it need not exist.

    Its name has eight digits of the hash of each network's weights, since other weights give other features. Where
    weights are absent, the features that the cache has of this data set are taken, if they are all of one version.

    Args:
        fingerprint: of the split, "data set/split-hash".
        spec: which features.

    Raises:
        ItmError: weights are absent, cannot be downloaded, and the cache has no features, or of several versions; or
            features of another version were read before in this process.
    """
    folder = cache_dir() / "features" / fingerprint.replace("/", "-")
    if provides(spec, "version"):  # a model's own network, see ``NetworkFeatures``
        return folder / f"{spec.kind}-dual_encoder-{spec.version()}"
    corpus = fingerprint.partition("/")[0]
    absent = [name for name in networks(spec) if not weights_file(name).exists()]
    if absent:
        found = _only_version(folder.parent, corpus, spec)
        if found is not None and (folder / _name(spec, _joined(found))).exists():
            _ASSUMED.update({(corpus, name): found[name] for name in absent})
            return folder / _name(spec, _joined(found))
    version = seen_by(spec)
    for name in networks(spec):
        read, now = _ASSUMED.get((corpus, name)), _file_hash(weights_file(name))
        if read not in (None, now):
            raise ItmError(
                f"features of {corpus} that were read before were made with the version {read} of {name}, but its "
                f"weights in {weights_file(name)} are {now}: restart Python, so that all features are of one version"
            )
    return folder / _name(spec, version)


def seen_by(spec: FeatureSpec) -> str:
    """The name of each network that makes these features, with a hash of its weights; pixels need no weights.

    Raises:
        ItmError: the weights can neither be found nor downloaded.
    """
    if spec.kind == "pixels":
        return spec.backbone
    if spec.backbone == "mini":
        return (detector_folder() if spec.kind in ALSO else mini_folder()).name
    make = {spec.backbone: lambda: create_backbone(spec.backbone), BOXES_BY: create_box_detector}
    for name in networks(spec):
        if not weights_file(name).exists():
            make[name]()  # downloads them
    return _joined({name: _file_hash(weights_file(name)) for name in networks(spec)})


def networks(spec: FeatureSpec) -> list[str]:
    """The torchvision networks whose weights make these features; none for the mini backbone."""
    if spec.backbone == "mini" or spec.kind == "pixels":
        return []
    return [spec.backbone, BOXES_BY] if spec.kind in ALSO else [spec.backbone]


def _name(spec: FeatureSpec, version: str) -> str:
    return f"{spec.kind}-{version}{'-' + spec.fit if spec.fit else ''}{ALSO.get(spec.kind, '')}"


def _joined(hashes: dict[str, str]) -> str:
    return "-".join(f"{name}-{digits}" for name, digits in hashes.items())


def _only_version(features: Path, corpus: str, spec: FeatureSpec) -> dict[str, str] | None:
    """The hash of each network's weights with which the cache's features of a data set were made, if there are any.

    Raises:
        ItmError: there are several, and nothing tells which is meant.
    """
    known = networks(spec)
    pattern = re.compile(_name(spec, "-".join(f"{re.escape(name)}-([0-9a-f]{{8}})" for name in known)))
    versions: dict[tuple[str, ...], Path] = {}
    for folder in sorted(features.glob(f"{corpus}-*/{spec.kind}-*")) + sorted(features.glob(f"{corpus}/{spec.kind}-*")):
        match = pattern.fullmatch(folder.name)
        if match and all(_agrees(name, digits) for name, digits in zip(known, match.groups(), strict=True)):
            versions.setdefault(match.groups(), folder)
    if len(versions) > 1:
        files = " and ".join(str(weights_file(name)) for name in known)
        raise ItmError(
            f"the weights {files} are absent, and the cache has features of {corpus} of {len(versions)} versions of "
            f"them: put the weights there, or delete all versions but one, such as {next(iter(versions.values()))}"
        )
    return next((dict(zip(known, version, strict=True)) for version in versions), None)


def _agrees(name: str, digits: str) -> bool:
    """Whether weights that are there have this hash; weights that are absent may have had any."""
    file = weights_file(name)
    return not file.exists() or _file_hash(file) == digits


def _file_hash(file: Path) -> str:
    """The first eight digits of the SHA-256 of a file, computed once while it stays as it is."""
    about = file.stat()
    return _hashed(file, about.st_size, about.st_mtime_ns)


@cache
def _hashed(file: Path, size: int, changed: int) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:8]

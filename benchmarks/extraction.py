"""Decoding JPEGs of 224 x 224 pixels and extracting features, beside bare torchvision; and the memory that it takes.

Bare torchvision is a ``DataLoader`` with two workers, the transforms that belong to the weights, and the same network.
Both get the same files and two threads, turn by turn; the quotient of the medians is what counts. Memory is the peak of
a process that extracts features into the cache, minus what it held before the first photograph (Linux only).

    python benchmarks/extraction.py                      # speed, and memory at 1,000 and 10,000 photographs
    python benchmarks/extraction.py 1000 10000 100000    # memory at these numbers
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "2")  # for both, before torch is loaded; on a busy machine, too

import numpy as np
import torch
from PIL import Image
from torch import nn

import itm_tutorial.extraction.features as extraction
from itm_tutorial.data.readers.photographs import Photographs
from itm_tutorial.models import FeatureSpec

WORKERS = 2
SPEC = FeatureSpec("global", "mobilenet_v2")  # its size and colours; the network itself is given

ALONE = """
import os, sys
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[1]).parent))
import extraction
extraction.fill_cache(Path(sys.argv[2]), int(sys.argv[3]))
"""


def make_photographs(folder: Path, n: int) -> list[Path]:
    """Writes n JPEGs of 224 x 224 pixels, about as large as photographs of this size (20 KB)."""
    rng, files = np.random.default_rng(0), []
    for number in range(n):
        coarse = Image.fromarray(rng.integers(0, 256, (28, 28, 3), dtype=np.uint8)).resize((224, 224), Image.BICUBIC)
        pixels = np.asarray(coarse).astype(int) + rng.integers(-12, 13, (224, 224, 3))
        files.append(folder / f"{number}.jpg")
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(files[-1], quality=90)
    return files


def network(kind: str) -> nn.Module:
    """A network with random weights: "small", four convolutions, or "mobilenet_v2"."""
    torch.manual_seed(0)
    if kind == "small":
        widths = (3, 16, 32, 64, 128)
        layers = [nn.Conv2d(a, b, 3, 2, 1) for a, b in zip(widths, widths[1:], strict=False)]
        return nn.Sequential(*(layer for conv in layers for layer in (conv, nn.ReLU()))).eval()
    from torchvision.models import mobilenet_v2

    return mobilenet_v2(weights=None).features.eval()


class _Files(torch.utils.data.Dataset):
    """What anyone would write for torchvision."""

    def __init__(self, files, transforms):
        self.files, self.transforms = files, transforms

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        return self.transforms(Image.open(self.files[i]).convert("RGB"))


@torch.no_grad()
def bare(files: list[Path], net: nn.Module, batch: int) -> torch.Tensor:
    """Features by torchvision alone."""
    from torchvision import transforms

    steps = [transforms.Resize(224), transforms.CenterCrop(224), transforms.ToTensor()]
    steps.append(transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    loader = torch.utils.data.DataLoader(_Files(files, transforms.Compose(steps)), batch, num_workers=WORKERS)
    net = net.to(memory_format=torch.channels_last)
    return torch.cat([net(some.to(memory_format=torch.channels_last)).mean((2, 3)) for some in loader])


def ours(files: list[Path], net: nn.Module) -> torch.Tensor:
    """Features by this package."""
    extraction.create_backbone = lambda name: net
    return extraction.image_features(Photographs(files), SPEC)


def measure(kind: str, n: int = 400, rounds: int = 3) -> dict[str, float]:
    """Photographs per second of both, their quotient, and the largest difference between their features.

    Args:
        kind: of network.
        n: photographs.
        rounds: each is timed so many times; bare torchvision in batches of 8 and of 64, of which the faster counts.

    Returns:
        "ours", "bare" and "quotient" (ours / bare), by medians; "difference" in features.
    """
    net = network(kind)
    times: dict[str, list[float]] = {"ours": [], "bare 8": [], "bare 64": []}
    with tempfile.TemporaryDirectory() as folder:
        files = make_photographs(Path(folder), n)
        found = {}
        ours(files[:16], net)
        for _ in range(rounds):
            for name, run in {
                "ours": lambda: ours(files, net),
                "bare 8": lambda: bare(files, net, 8),
                "bare 64": lambda: bare(files, net, 64),
            }.items():
                start = time.perf_counter()
                found[name] = run()
                times[name].append(time.perf_counter() - start)
    speed = {name: n / median(each) for name, each in times.items()}
    best = max(speed["bare 8"], speed["bare 64"])
    difference = (found["ours"] - found["bare 8"]).abs().max().item()
    return {"ours": speed["ours"], "bare": best, "quotient": speed["ours"] / best, "difference": difference}


def fill_cache(folder: Path, n: int) -> None:
    """Extracts features of n photographs (a few files, again and again) into the cache; prints the memory in KiB."""
    from itm_tutorial.data.corpus import Split

    def held(what: str) -> int:
        (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
        return int(line.split()[1])

    files = sorted(folder.glob("*.jpg"))
    images = Photographs([files[i % len(files)] for i in range(n)])
    split = Split("train", images, [], torch.empty(0, dtype=torch.int64), fingerprint=f"benchmark/train-{n}")
    ours(files[:16], nn.Sequential(nn.AvgPool2d(32), nn.Conv2d(3, 1280, 1)))  # libraries are loaded, buffers are there
    before = held("VmRSS")
    extraction.split_features(split, SPEC)
    print(held("VmHWM") - before)


def measure_memory(n: int) -> float:
    """The MiB that a process needs for n photographs, in addition to the list of files."""
    with tempfile.TemporaryDirectory() as folder:
        make_photographs(Path(folder), 50)
        home = Path(folder) / "home/hub/checkpoints"
        home.mkdir(parents=True)
        from itm_tutorial.encoders.backbones import weights_file

        (home / weights_file("mobilenet_v2").name).write_bytes(b"stands in: the network is given")
        environment = {**os.environ, "ITM_CACHE": f"{folder}/cache", "TORCH_HOME": f"{folder}/home"}
        arguments = [sys.executable, "-c", ALONE, __file__, folder, str(n)]
        run = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment)
        return int(run.stdout) / 2**10


def main() -> None:
    numbers = [int(number) for number in sys.argv[1:]]
    if not numbers:
        for kind in ("small", "mobilenet_v2"):
            found = measure(kind)
            print(
                f"{kind}: {found['ours']:.0f} photographs per second, bare torchvision {found['bare']:.0f}: "
                f"{100 * found['quotient']:.0f} % (largest difference of a feature: {found['difference']:.1g})"
            )
    for n in numbers or (1_000, 10_000):
        print(f"{n:>7,} photographs: {measure_memory(n):.0f} MiB; their features take {n * 1280 * 4 / 2**20:,.0f} MiB")


if __name__ == "__main__":
    main()

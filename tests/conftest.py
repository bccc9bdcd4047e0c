"""What the tests share: the package's cache, so that worlds are drawn and networks trained once, not in every run."""

import io
import os
from types import SimpleNamespace

import pytest
import torch
from hypothesis import settings

from itm_tutorial.storage import cache_dir

# two threads on a busy core wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

settings.register_profile("course", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("course")


@pytest.fixture(autouse=True)
def _same_numbers_in_every_run():
    """Starts torch's generator alike for each test, so that no test fails by chance."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def cache():
    """The package's own cache, which a test may fill and never damages; a test that would takes a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ITM_PROGRESS", "0")
        yield cache_dir()


@pytest.fixture(scope="session")
def tiny(cache):
    """The smallest drawn corpus."""
    import itm_tutorial as itm

    return itm.load_corpus("scenes", size="tiny")


@pytest.fixture
def said(monkeypatch):
    """The warnings since it was last called, in a process that has said nothing before."""
    import warnings

    from itm_tutorial import errors

    monkeypatch.setattr(errors, "_WARNED", set())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        def since():
            messages = [str(warning.message) for warning in caught]
            caught.clear()
            return messages

        yield since


@pytest.fixture
def register(monkeypatch):
    """``register_model`` for the length of one test."""
    from itm_tutorial.models import _registry

    monkeypatch.setattr(_registry, "_AT_RUN_TIME", {})
    monkeypatch.setattr(_registry, "_CLASSES", dict(_registry._CLASSES))
    return _registry.register_model


@pytest.fixture(scope="module")
def cheap_features():
    """Features of every kind that need no backbone, and regions that need no detector: mean colours of patches."""
    from torch.nn.functional import adaptive_avg_pool2d, pad

    def features(split, spec):
        images = [split.images[i] for i in range(len(split.images))]
        if spec.kind == "pixels":
            return torch.stack(images)
        stack = torch.stack(images).float() / 255
        if spec.kind in ("global", "mirrored"):
            return torch.cat([adaptive_avg_pool2d(stack, 12).flatten(1), torch.ones(len(stack), 80)], 1)  # [n, 512]
        rows, columns = (8, 8) if spec.kind in ("grid", "mirrored_grid") else (4, 3)
        fine = adaptive_avg_pool2d(stack, (4 * rows, 4 * columns)).unflatten(3, (columns, 4)).unflatten(2, (rows, 4))
        cells = fine.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)  # [n, 64 or 12, 48]
        return pad(cells, (0, 208), value=0.1)

    def boxes(split, spec):  # the true ones, then cells of 3 rows and 4 columns
        left, top = torch.meshgrid(torch.arange(4) / 4, torch.arange(3) / 3, indexing="xy")
        cells = torch.stack([left, top, left + 1 / 4, top + 1 / 3], -1).flatten(0, 1)
        true = split.boxes or [cells] * len(split.images)
        return torch.stack([torch.cat([some, cells])[:12] for some in true])  # [n, 12, 4]

    def sure(split, spec):
        return torch.ones(len(split.images), 12)

    with pytest.MonkeyPatch.context() as patch:
        for module in ("retrieval.scoring", "retrieval.search", "training.loop"):
            patch.setattr(f"itm_tutorial.{module}.split_features", features)
        for module in ("retrieval.scoring", "training.loop"):
            patch.setattr(f"itm_tutorial.{module}.split_boxes", boxes)
            patch.setattr(f"itm_tutorial.{module}.split_confidence", sure)
        yield features


@pytest.fixture
def small_split():
    """24 pictures of random pixels with captions: "a red van" belongs to pictures 0 and 3, and picture 3 has two."""
    from itm_tutorial.data.corpus import Split

    generator = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (3, 32, 40), dtype=torch.uint8, generator=generator) for _ in range(24)]
    captions = ["a red van", "a big van on the beach", 'a "quiet" dog & <b>two</b> cats', "a dog", "a red van"]
    captions += [f"picture number {i}" for i in range(4, 24)]
    return Split("test", images, captions, torch.tensor([0, 1, 2, 3, 3, *range(4, 24)]))


@pytest.fixture
def corners():
    """Boxes [5, 4] of five regions: the four corners of a picture, then its middle."""
    return torch.tensor(
        [[0.0, 0, 0.3, 0.3], [0.7, 0.0, 1, 0.3], [0, 0.7, 0.3, 1], [0.7, 0.7, 1, 1], [0.4, 0.4, 0.6, 0.6]]
    )


@pytest.fixture
def one_caption(corners):
    """Makes two equal grey pictures with one caption, and attention of 0.6 for the region that each word is given."""
    from itm_tutorial.data.corpus import Split
    from itm_tutorial.data.text import tokenize
    from itm_tutorial.evaluation.grounding import Attention

    def make(tops, boxes=corners, groundings=None, size=(32, 32), caption="A red dog and a dog <b>near</b> it"):
        image = torch.full((3, *size), 128, dtype=torch.uint8)
        true = [corners, corners] if groundings is not None else None
        split = Split("test", [image, image], [caption], torch.tensor([0]), groundings=groundings, boxes=true)
        words, n = tokenize(caption), len(boxes)
        weights = torch.full((n, len(words)), 0.4 / (n - 1))
        for word in range(len(words)):
            weights[tops.get(word, 0), word] = 0.6
        return Attention(torch.tensor([0]), torch.tensor([0]), [words], [weights], boxes[None]), split

    return make


@pytest.fixture
def attended(one_caption):
    """Of "a red dog and a dog b near b it", "red" attends to what it names, the first "dog" does not."""
    return one_caption({1: 2, 2: 1, 5: 3, 7: 4}, groundings=[[(1, 2), (2, 2), (5, 3), (5, 0)]])


@pytest.fixture
def drawing():
    """What tests of figures read off a drawn figure: its pixels, and the boxes of its texts."""

    def in_grey(figure):
        """A figure as grey print has it, [H, W], from 0 to 255."""
        import numpy as np
        from PIL import Image

        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=80)
        return np.array(Image.open(buffer).convert("L")).astype(float)

    def text_boxes(figure):
        """The extents of titles, labels and texts, and of tick labels that are names."""
        figure.draw_without_rendering()
        texts = [figure._suptitle] if figure._suptitle is not None else []
        for axes in figure.axes:
            texts += [axes.title, *axes.texts] + ([axes.xaxis.label, axes.yaxis.label] if axes.axison else [])
            named = not axes.get_lines() or axes.get_title() == "guessing: 50 %"  # names on the axes, and no scale
            if axes.axison and named:
                texts += [*axes.get_xticklabels(), *axes.get_yticklabels()]
        return [text.get_window_extent() for text in texts if text.get_text()]

    def check_texts(figures, may_cross=()):
        """Every text stays inside its figure and off the others."""
        for name, figure in figures.items():
            boxes, (width, height) = text_boxes(figure), figure.bbox.max
            assert boxes, name
            for i, box in enumerate(boxes):
                assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, (name, box)
                if name not in may_cross:
                    assert not any(box.overlaps(other) for other in boxes[:i]), (name, box)

    def check_as_written(figure, name):
        """Only the course's own formulas and the labels of scales are mathematics: no text of data is."""
        from matplotlib.axis import Axis
        from matplotlib.text import Text

        from itm_tutorial.show.canvas import FORMULA, _numbers

        numbers = {id(label) for axis in figure.findobj(Axis) for label in _numbers(axis)}
        for text in figure.findobj(Text):
            if id(text) not in numbers and text.get_gid() != FORMULA:
                assert not text.get_parse_math() or not text.get_text(), (name, text)

    def check_alt_texts(figures, quoted):
        """Every figure is drawn, has alt text of its own with a number, and quotes what is asked for."""
        import html
        import re

        from matplotlib.figure import Figure

        from itm_tutorial import show

        assert set(quoted) == set(figures)
        for name, figure in figures.items():
            alt = show.alt_text(figure)
            assert isinstance(figure, Figure) and len(alt) > 60 and re.search(r"\d", alt), name
            assert (in_grey(figure) < 250).any(), name
            check_as_written(figure, name)
            assert f'<img alt="{html.escape(alt)}"' in show.to_html(figure), name
            for words in quoted[name]:
                assert words in alt, (name, words, alt)
        assert len({show.alt_text(figure) for figure in figures.values()}) == len(figures)

    def check_targets(on_figures, on_axes=()):
        """Each function draws on the Figure, or the Axes, that it is given, and returns it."""
        from matplotlib.figure import Figure

        for draw in on_figures:
            mine = Figure()
            assert draw(mine) is mine
        for draw in on_axes:
            mine = Figure().subplots()
            assert draw(mine) is mine

    return SimpleNamespace(
        in_grey=in_grey,
        check_texts=check_texts,
        check_alt_texts=check_alt_texts,
        check_as_written=check_as_written,
        check_targets=check_targets,
    )


@pytest.fixture
def instant_features(monkeypatch):
    """Features that need no backbone: the mean colour of sixteen patches, in place of the mini backbone's."""
    from torch.nn.functional import adaptive_avg_pool2d

    def patches(images, spec):
        stack = torch.stack([images[i] for i in range(len(images))]).float() / 255
        return torch.cat([adaptive_avg_pool2d(stack, 12).flatten(1), torch.ones(len(stack), 80)], 1)  # [n, 512]

    for module in ("retrieval.scoring", "retrieval.search", "training.loop"):
        name = f"itm_tutorial.{module}.split_features"
        monkeypatch.setattr(name, lambda split, spec: patches(split.images, spec))
    monkeypatch.setattr("itm_tutorial.retrieval.search.image_features", patches)


@pytest.fixture
def made_up_regions(monkeypatch):
    """Features that need no detector: the colours of sixteen patches of each of 16 squares, at the squares' boxes."""

    def patches(split, spec):
        stack = torch.stack([split.images[i] for i in range(len(split.images))]).float() / 255  # [n, 3, 128, 128]
        tiles = stack.unfold(2, 32, 32).unfold(3, 32, 32).permute(0, 2, 3, 1, 4, 5).flatten(1, 2)  # [n, 16, 3, 32, 32]
        small = torch.nn.functional.adaptive_avg_pool2d(tiles.flatten(0, 1), 4).flatten(1).view(len(stack), 16, 48)
        return torch.nn.functional.pad(small, (0, 256 - 48))

    from itm_tutorial.extraction.regions import grid_boxes

    for module in ("retrieval.scoring", "retrieval.search", "training.loop", "evaluation.grounding"):
        monkeypatch.setattr(f"itm_tutorial.{module}.split_features", patches)
    boxes = lambda split, spec: grid_boxes(16).expand(len(split.images), -1, -1)  # noqa: E731
    sure = lambda split, spec: torch.ones(len(split.images), 16)  # noqa: E731
    monkeypatch.setattr("itm_tutorial.evaluation.grounding.split_boxes", boxes)
    for module in ("retrieval.scoring", "training.loop"):
        monkeypatch.setattr(f"itm_tutorial.{module}.split_boxes", boxes)
        monkeypatch.setattr(f"itm_tutorial.{module}.split_confidence", sure)


@pytest.fixture
def grids(monkeypatch):
    """Grids that need no backbone: the mean colours of 8 x 4 patches, of 256 numbers a cell."""
    from torch.nn.functional import adaptive_avg_pool2d, pad

    def cells(split, spec):
        stack = torch.stack([split.images[i] for i in range(len(split.images))]).float() / 255
        colours = adaptive_avg_pool2d(stack, (8, 4)).flatten(2).transpose(1, 2)  # [n, 32, 3]
        return pad(colours, (0, 253)) if spec.kind == "grid" else pad(colours.flatten(1), (0, 512 - 96))

    for module in ("retrieval.scoring", "retrieval.search", "training.loop", "chapters.ch04_timam.measures"):
        monkeypatch.setattr(f"itm_tutorial.{module}.split_features", cells)

"""A model of the course under MTEB: the scores are those of ``itm.score``, and one tiny task runs to its end."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.models import create_model
from itm_tutorial.retrieval.mteb_search import MTEBSearch


class Rows:
    """As much of ``datasets.Dataset`` as a search needs."""

    def __init__(self, **columns):
        self.columns, self.column_names = columns, list(columns)

    def __len__(self):
        return len(self.columns["id"])

    def __getitem__(self, key):
        return self.columns[key] if isinstance(key, str) else {name: row[key] for name, row in self.columns.items()}


def pictures(split, kind="tensor"):
    """The images of a split as tensors, or as Pillow's."""
    from PIL import Image

    if kind == "tensor":
        return list(split.images)
    return [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in split.images]


def sides(split, kind="tensor"):
    """Images and captions of a split as MTEB gives them."""
    images = Rows(id=[f"i{n}" for n in range(len(split.images))], image=pictures(split, kind))
    return images, Rows(id=[f"c{n}" for n in range(len(split.captions))], text=split.captions)


@pytest.fixture(scope="module")
def model(tiny):
    return create_model("dual_encoder", tiny)


@pytest.mark.parametrize("kind", ["tensor", "pillow"])
def test_the_scores_are_those_of_the_course(model, tiny, kind):
    images, texts = sides(tiny.val, kind)
    scores, search = itm.score(model, tiny.val), MTEBSearch(model)
    search.index(images, task_metadata=None)
    found = search.search(texts, top_k=5, task_metadata=None)
    assert list(found) == texts["id"] and {len(items) for items in found.values()} == {5}
    for caption, items in enumerate(found.values()):
        best = scores[:, caption].topk(5)
        assert list(items) == [f"i{n}" for n in best.indices.tolist()]
        assert list(items.values()) == pytest.approx(best.values.tolist(), abs=1e-4)
    search.index(texts)
    found = search.search(images, top_k=1000)
    assert len(found) == len(images) and len(found["i3"]) == len(texts)
    assert found["i3"]["c7"] == pytest.approx(scores[3, 7].item(), abs=1e-4)


def test_only_the_given_items_are_ranked(model, tiny):
    images, texts = sides(tiny.val)
    search = MTEBSearch(model)
    search.index(images)
    one = Rows(id=["c0"], text=texts["text"][:1])
    assert set(search.search(one, top_k=5, top_ranked={"c0": ["i4", "i2"]})["c0"]) == {"i4", "i2"}


def test_other_tasks_are_refused(model, tiny):
    images, texts = sides(tiny.val)
    search = MTEBSearch(model)
    with pytest.raises(ItmError, match="search was called before index"):
        search.search(texts, top_k=5)
    search.index(texts)
    with pytest.raises(ItmError, match="both texts.*category i2t or t2i"):
        search.search(texts, top_k=5)
    both = Rows(id=["a"], text=["a"], image=[tiny.val.images[0]])
    with pytest.raises(ItmError, match="queries has image and text"):
        search.search(both, top_k=5)


def test_a_tiny_task_of_mteb_runs_to_its_end(model, tiny):
    mteb = pytest.importorskip("mteb")
    datasets = pytest.importorskip("datasets")
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    split = tiny.val

    class TinyScenes(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name="TinyScenesT2IRetrieval",
            description="Retrieve drawn scenes by their captions.",
            reference=None,
            dataset={"path": "itm_tutorial/scenes", "revision": "tiny"},
            type="Any2AnyRetrieval",
            category="t2i",
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="ndcg_at_10",
            date=("2020-01-01", "2020-12-31"),
            domains=["Constructed"],
            task_subtypes=["Image Text Retrieval"],
            license="mit",
            annotations_creators="derived",
            dialect=[],
            modalities=["text", "image"],
            sample_creation="created",
            bibtex_citation="",
        )

        def load_data(self, *_, **__):
            images, texts = sides(split, "pillow")
            right = {f"c{n}": {f"i{image}": 1} for n, image in enumerate(split.image_of.tolist())}
            parts = (datasets.Dataset.from_dict({n: side[n] for n in side.column_names}) for side in (images, texts))
            corpus, queries = parts
            data = {"corpus": corpus, "queries": queries, "relevant_docs": right, "top_ranked": None}
            self.dataset, self.data_loaded = {"default": {"test": data}}, True

    result = mteb.evaluate(MTEBSearch(model), TinyScenes(), cache=None, show_progress_bar=False)
    (scores,) = result.task_results[0].scores["test"]
    recall = itm.evaluate(itm.score(model, split), split.image_of).t2i
    assert 100 * scores["recall_at_1"] == pytest.approx(recall.r1, abs=0.1)
    assert 100 * scores["recall_at_10"] == pytest.approx(recall.r10, abs=0.1)
    assert result.model_name == "itm_tutorial/dual_encoder" and torch.tensor(scores["main_score"]).isfinite()

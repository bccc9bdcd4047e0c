"""The attention of words compared with the boxes they name: model and controls, on a small world made by hand."""

import math
from random import Random
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from itm_tutorial.data.corpus import Split, SplitFacts
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.evaluation import grounding
from itm_tutorial.evaluation.grounding import CONTROLS, AttentionReport, attend, evaluate_attention
from itm_tutorial.extraction.regions import grid_boxes
from itm_tutorial.models import FeatureSpec, Matching, build_model

CLASSES = {"noun": ["dog", "cat", "van"], "colour": ["red", "blue"], "relation": ["near"], "other": ["a", "and"]}
CLASS_OF = {word: kind for kind, words in CLASSES.items() for word in words}
N_IMAGES, N_REGIONS, DIM = 4, 4, 6
CAPTIONS = [  # the image, and the caption; a star marks a word that is grounded
    (0, "a *red *dog"),
    (0, "a *dog *near a *cat"),
    (1, "a *van"),
    (1, "*blue *van and *red *dog"),
    (2, "a *cat"),
    (2, "*cat *near *red *van"),
    (3, "a *red *van"),
    (3, "a *blue *cat and a *dog"),
    (3, "and"),
]


class Pointer(Matching):
    """Words attend to regions by the softmax of products of learned vectors."""

    feature_kind = "regions"

    def __init__(self, vocabulary, features, image_dim):
        super().__init__(vocabulary, features)
        self.words = nn.Embedding(len(vocabulary), DIM)

    def encode_images(self, images):
        return images

    def encode_captions(self, captions):
        return self.words(self.tokenize(captions).ids)

    def attention(self, image_emb, caption_emb):
        """[n_images, n_regions, dim] and [n_captions, seq_len, dim] -> [n_images, n_captions, n_regions, seq_len]."""
        return torch.einsum("ird,cwd->icrw", image_emb, caption_emb).softmax(2)


@pytest.fixture
def split(monkeypatch):
    """Four images with two to four true boxes, seen as the cells of a grid of two by two with random features."""
    rng, generator = Random(0), torch.Generator().manual_seed(0)
    boxes = [torch.rand(n, 4, generator=generator) for n in (2, 3, 4, 3)]
    boxes = [torch.cat([0.6 * b[:, :2], 0.6 * b[:, :2] + 0.2 + 0.4 * b[:, 2:]], 1) for b in boxes]
    captions, groundings, truths = [], [], []
    for image, marked in CAPTIONS:
        words = marked.split()
        captions.append(marked.replace("*", ""))
        truths.append(SimpleNamespace(words=[SimpleNamespace(word_class=CLASS_OF[word.strip("*")]) for word in words]))
        named = [(i, rng.sample(range(len(boxes[image])), rng.choice([1, 2]))) for i, w in enumerate(words) if "*" in w]
        groundings.append([(word, box) for word, some in named for box in some])
    facts = SplitFacts([frozenset()] * N_IMAGES, [frozenset()] * len(captions), truths, [None] * N_IMAGES)
    image_of = torch.tensor([image for image, _ in CAPTIONS])
    features = torch.randn(N_IMAGES, N_REGIONS, DIM, generator=generator)
    monkeypatch.setattr(grounding, "split_features", lambda split, spec: features)
    monkeypatch.setattr(grounding, "split_boxes", lambda split, spec: grid_boxes(N_REGIONS).expand(N_IMAGES, -1, -1))
    images = [torch.zeros(3, 4, 4, dtype=torch.uint8)] * N_IMAGES
    return Split("test", images, captions, image_of, groundings=groundings, facts=facts, boxes=boxes)


@pytest.fixture
def model(register, split):
    register(chapter="99", name="pointer")(Pointer)
    torch.manual_seed(100)
    return build_model("pointer", Vocabulary.from_captions(split.captions), FeatureSpec("regions", "precomputed", DIM))


def centre_and_overlap(region, named):
    """Whether the centre of a region lies in a named box, and the fraction of its area that does (boxes added up)."""
    x0, y0, x1, y1 = region
    x, y, area = (x0 + x1) / 2, (y0 + y1) / 2, 0.0
    for a, b, c, d in named:
        area += max(0.0, min(x1, c) - max(x0, a)) * max(0.0, min(y1, d) - max(y0, b))
    return any(a < x < c and b < y < d for a, b, c, d in named), min(1.0, area / ((x1 - x0) * (y1 - y0)))


def report_by_loop(model, split, other, fresh):
    """The pointing game and the mass of every party, word by word; ``other`` holds the caption that replaces each."""
    sums = {}  # party, class -> hits, masses
    cases = {"same image": 0, "no word of the class": 0, "compared": 0}

    def count(party, kind, hit, mass):
        sums.setdefault((party, kind), []).append((hit, mass))

    def weights(which, image, caption, word):
        with torch.no_grad():
            return attend(which, split, [caption], [image]).weights[0][:, word].tolist()

    for caption, pairs in enumerate(split.groundings):
        image = int(split.image_of[caption])
        for word in dict(pairs):
            named = [split.boxes[image][box].tolist() for w, box in pairs if w == word]
            hits, parts = zip(*(centre_and_overlap(r, named) for r in grid_boxes(N_REGIONS).tolist()), strict=True)
            kinds = [w.word_class for w in split.facts.truths[caption].words]

            def seen(party, of_regions, kind=kinds[word], hits=hits, parts=parts):
                mass = sum(w * part for w, part in zip(of_regions, parts, strict=True))
                count(party, kind, float(hits[of_regions.index(max(of_regions))]), mass)

            seen("model", weights(model, image, caption, word))
            seen("untrained", weights(fresh, image, caption, word))
            count("uniform", kinds[word], sum(hits) / N_REGIONS, sum(parts) / N_REGIONS)
            theirs = int(other[caption])
            places = [w for w, x in enumerate(split.facts.truths[theirs].words) if x.word_class == kinds[word]]
            if int(split.image_of[theirs]) == image:
                cases["same image"] += bool(places)
            elif not places:
                cases["no word of the class"] += 1
            else:
                cases["compared"] += 1
                later = [w for w in places if w >= word]
                seen("shuffled captions", weights(model, image, theirs, (later or places)[0]))
    assert all(cases.values()), cases  # the example holds every case
    parties, kinds = ("model", *CONTROLS), {kind for _, kind in sums}
    mean = lambda party, kind, i: 100 * math.fsum(p[i] for p in sums[party, kind]) / len(sums[party, kind])  # noqa: E731
    by_party = [
        {party: {kind: mean(party, kind, i) for kind in kinds if (party, kind) in sums} for party in parties}
        for i in (0, 1)
    ]
    return *by_party, {kind: len(sums["model", kind]) for kind in kinds}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_model_and_controls_equal_the_loop_over_words(model, split, seed):
    other = torch.randperm(len(split.captions), generator=torch.Generator().manual_seed(seed)).tolist()
    torch.manual_seed(seed)
    fresh = build_model("pointer", model.vocabulary, model.features)
    pointing, mass, words = report_by_loop(model, split, other, fresh)
    report = evaluate_attention(model, split, seed=seed)
    assert report.words == words
    for found, expected in ((report.pointing, pointing), (report.mass, mass)):
        for party in ("model", *CONTROLS):
            counted = {kind: value for kind, value in found[party].items() if not math.isnan(value)}
            assert counted == pytest.approx(expected[party], abs=1e-4), party
    assert set(found["model"]) == {"noun", "colour", "relation"}


def test_no_control_equals_the_model(model, split):
    report = evaluate_attention(model, split)
    for control in CONTROLS:
        differences = [abs(report.mass["model"][kind] - report.mass[control][kind]) for kind in ("noun", "colour")]
        assert min(differences) > 0.1, control


def test_a_control_without_any_partner_is_no_number(model, split):
    """Where every caption describes one image, no other picture's caption is left to compare with."""
    alone = Split(
        "test",
        split.images,
        split.captions[:2],
        split.image_of[:2],
        groundings=split.groundings[:2],
        facts=split.facts,
        boxes=split.boxes,
    )
    report = evaluate_attention(model, alone)
    assert all(math.isnan(value) for value in report.pointing["shuffled captions"].values())
    assert all(math.isnan(value) for value in report.mass["shuffled captions"].values())
    assert not any(math.isnan(value) for value in report.pointing["model"].values())


def test_the_seed_chooses_the_captions_and_the_untrained_weights(model, split):
    first, again, other = (evaluate_attention(model, split, seed=seed) for seed in (0, 0, 1))
    assert repr(first) == repr(again)
    assert first.mass["model"] == other.mass["model"] and first.mass["uniform"] == other.mass["uniform"]
    assert first.mass["untrained"] != other.mass["untrained"]
    assert first.mass["shuffled captions"] != other.mass["shuffled captions"]


def test_the_callers_random_numbers_are_left_alone(model, split):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    evaluate_attention(model, split, seed=5)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("best", CONTROLS)
def test_the_lead_is_over_the_best_control(best):
    pointing = {"model": {"noun": 50.0, "colour": 5.0}}
    pointing |= {control: {"noun": 20.0 + 10 * (control == best), "colour": 9.0} for control in CONTROLS}
    report = AttentionReport(pointing, pointing, {"noun": 1, "colour": 1})
    assert (report.lead("noun"), report.lead("colour")) == (20.0, -4.0)

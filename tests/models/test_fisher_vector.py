"""The Fisher vector model: its sentences against a loop, its CCA, its mixture, and its blindness to word order."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Batch, FeatureSpec, build_model, create_model

WORDS = ["a", "dog", "cat", "runs", "red", "fast"]
NAMES = ("fisher_vector", "fisher_vector_laplacian", "fisher_vector_hybrid")


def model_of(name="fisher_vector", seed=0, **options):
    """A model of six words with random vectors, its mixture fitted; float64."""
    torch.manual_seed(seed)
    settings = {"word_dim": 3, "n_components": 2, "embed_size": 2, **options}
    model = build_model(name, Vocabulary(WORDS), FeatureSpec("global", "precomputed", 5), **settings)
    model.words.use(torch.randn(len(WORDS), 3))
    model.fit_mixture()
    return model.double()


def sentence(model, caption):
    """The Fisher vector of a caption by loops over words, components and dimensions, on scalars."""
    mixture = model.mixture
    tau, place, scale = (part.tolist() for part in (mixture.weights, mixture.locations, mixture.scales))
    laplacian = mixture.laplacian.tolist()
    words = [model.words.vectors[model.vocabulary.index[word]].tolist() for word in caption.split()]
    n, n_components, dim = len(words), len(tau), len(words[0])
    sums = [[[0.0] * dim, [0.0] * dim] for _ in range(n_components)]
    for x in words:
        p = []
        for k in range(n_components):
            density = tau[k]
            for d in range(dim):
                z = abs(x[d] - place[k][d]) / scale[k][d]
                gauss = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
                density *= (math.exp(-z) / 2 if laplacian[k][d] else gauss) / scale[k][d]
            p.append(density)
        for k in range(n_components):
            gamma = p[k] / sum(p)
            for d in range(dim):
                z = (x[d] - place[k][d]) / scale[k][d]
                if laplacian[k][d]:
                    both = (1 if z > 0 else -1) / math.sqrt(n * tau[k]), (abs(z) - 1) / math.sqrt(n * tau[k])
                else:
                    both = z / math.sqrt(n * tau[k]), (z * z - 1) / math.sqrt(2 * n * tau[k])
                sums[k][0][d] += gamma * both[0]
                sums[k][1][d] += gamma * both[1]
    flat = [value for halves in sums for half in halves for value in half]
    rooted = [math.copysign(math.sqrt(abs(value)), value) for value in flat]
    length = math.sqrt(sum(value * value for value in rooted))
    return [value / length for value in rooted]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5), st.integers(0, 1000))
def test_a_sentence_equals_the_loop(name, words, seed):
    model, caption = model_of(name, seed), " ".join(words)
    tokens = model.tokenize([caption, "a dog a dog a dog a dog"])  # the second makes the first one padded
    found = model.text_features(tokens.ids, tokens.lengths)[0]
    assert found.tolist() == pytest.approx(sentence(model, caption), abs=1e-9)


@settings(max_examples=10)
@given(st.permutations(["a", "red", "dog", "runs", "fast"]))
def test_the_order_of_words_does_not_matter(words):
    model = model_of().eval()
    embeddings = model.encode_captions([" ".join(words), "a red dog runs fast"])
    assert torch.allclose(embeddings[0], embeddings[1], atol=1e-9)


def test_the_loss_is_one_minus_the_cosine_of_the_projected_pairs():
    model = model_of()
    captions, image_of = ["a dog", "red cat runs", "fast"], torch.tensor([1, 0, 1])
    images = torch.randn(2, 5).double()
    w_x, w_y = (side.tolist() for side in (model.canonical.image, model.canonical.text))

    def projected(row, matrix):
        return [sum(v * weights[j] for v, weights in zip(row, matrix, strict=True)) for j in range(2)]

    costs = []
    for caption, image in zip(captions, image_of.tolist(), strict=True):
        u, v = projected(images[image].tolist(), w_x), projected(sentence(model, caption), w_y)
        costs.append(1 - sum(a * b for a, b in zip(u, v, strict=True)) / math.hypot(*u) / math.hypot(*v))
    found = model.loss(Batch(images, model.tokenize(captions), image_of)).item()
    assert found == pytest.approx(sum(costs) / 3, abs=1e-9)


def test_the_mixture_reads_each_word_once_and_the_seed_decides_its_start(tiny):
    first, again, other = (create_model("fisher_vector", tiny, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.mixture.locations, again.mixture.locations)
    assert not torch.equal(first.mixture.locations, other.mixture.locations)
    words = first.words.vectors[4:]
    mean = first.mixture.posteriors(words).mean(0)
    assert torch.allclose(mean, first.mixture.weights, atol=1e-3)  # where EM stands
    with pytest.raises(ItmError, match="n_components is 1000, and there are .* word vectors: give fewer"):
        create_model("fisher_vector", tiny, n_components=1000)


def test_an_epoch_gives_the_same_projections_in_any_order_and_batch_size(tiny, cheap_features):
    scores = []
    for batch_size, seed in ((300, 0), (100, 1)):
        model = create_model("fisher_vector", tiny, n_components=2, embed_size=8)
        itm.fit(model, tiny, epochs=1, batch_size=batch_size, seed=seed, device="cpu", progress=False)
        scores.append(itm.score(model, tiny.val))
    assert torch.allclose(*scores, atol=1e-3)


def test_the_baseline_has_no_mixture(tiny):
    model = create_model("mean_vector_cca", tiny)
    assert model.mixture is None and len(model.canonical.text) == model.words.vectors.shape[1]

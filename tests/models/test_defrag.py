"""DeFrag: one number for both objectives by loops, its score, the variants, and the attention of a fragment."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.encoders.fragments import Fragments
from itm_tutorial.models import Batch


def small(corpus, name="defrag", **options):
    return itm.create_model(name, corpus, embed_size=6, word_dim=5, **options)


def dots_by_loop(regions, fragments):
    """[image][caption] -> a table of dot products, one row per fragment, one column per region."""
    return [
        [
            [[sum(v * s for v, s in zip(region, word, strict=True)) for region in image] for word in caption]
            for caption in fragments
        ]
        for image in regions
    ]


def alignment_by_loop(dots, image_of, multiple_instance):
    total = 0.0
    for c, own in enumerate(image_of):
        for w in range(len(dots[0][c])):
            column = []  # (label, dot product) of all regions of all images
            for i in range(len(dots)):
                row = dots[i][c][w]
                labels = [-1] * len(row)
                if i == own:
                    labels = [1 if not multiple_instance or d > 0 else -1 for d in row]
                    if 1 not in labels:
                        labels[row.index(max(row))] = 1
                column += zip(labels, row, strict=True)
            for label, d in column:
                total += max(0.0, 1 - label * d) / sum(other == label for other, _ in column)
    return total


def global_by_loop(dots, image_of, margin, smoothing):
    def score(i, c):
        return sum(max(0.0, d) for row in dots[i][c] for d in row) / (len(dots[i][c]) + smoothing)

    total = 0.0
    for c, own in enumerate(image_of):
        total += sum(
            max(0.0, margin + score(own, o) - score(own, c)) for o in range(len(image_of)) if image_of[o] != own
        )
        total += sum(max(0.0, margin + score(o, c) - score(own, c)) for o in range(len(dots)) if o != own)
    return total


@pytest.mark.parametrize("multiple_instance", [True, False])
def test_the_objective_equals_the_loops(tiny, multiple_instance):
    model = small(tiny, multiple_instance=multiple_instance, warmup=0.0, margin=2.0, smoothing=3.0).double()
    captions, image_of = tiny.train.captions[:16:4], [0, 1, 2, 2]
    features = torch.rand(3, 4, 256).double()
    vectors, mask = model.encode_captions(captions)
    fragments = [row[real].tolist() for row, real in zip(vectors, mask, strict=True)]
    dots = dots_by_loop(model.encode_images(features).tolist(), fragments)
    expected = alignment_by_loop(dots, image_of, multiple_instance) + 0.5 * global_by_loop(dots, image_of, 2.0, 3.0)
    parts = model.loss(Batch(features, model.tokenize(captions), torch.tensor(image_of)))
    assert set(parts) == {"alignment", "global"}
    assert sum(parts.values()).item() == pytest.approx(expected, abs=1e-10)


def test_the_variants_leave_one_objective_out(tiny):
    batch = Batch(torch.rand(3, 4, 256), small(tiny).tokenize(tiny.train.captions[:15:5]), torch.arange(3))
    for name, part in (("defrag_global", "global"), ("defrag_alignment", "alignment")):
        assert list(small(tiny, name).loss(batch)) == [part]


def test_a_caption_of_one_word_has_a_fragment(tiny):
    model = small(tiny)
    words = model.encode_captions(["dog", "a red car"])
    assert words.mask.sum(1).tolist() == [1, 3]
    assert model.similarity(torch.randn(2, 4, 6), words)[:, 0].abs().sum() > 0


def test_a_gradient_reaches_every_relation_of_the_batch(tiny):
    model = small(tiny)
    tokens = model.tokenize(tiny.train.captions[:40:5])
    sum(model.loss(Batch(torch.rand(8, 12, 256), tokens, torch.arange(8))).values()).backward()
    present = (tokens.per_word["relations"].unique() - 1)[1:]
    moved = model.text_encoder.weight.grad.abs().sum((1, 2)) > 0
    assert moved.nonzero()[:, 0].tolist() == present.tolist()


def test_attention_is_a_region_s_part_in_the_positive_dot_products(tiny):
    model = small(tiny)
    regions = torch.eye(3)[None]  # so that a fragment's numbers are its dot products
    fragments = Fragments(torch.tensor([[[2.0, 0.5, -1], [-1, -0.2, -3], [0, 0, 0], [9, 9, 9]]]), torch.ones(1, 4) > 0)
    fragments.mask[0, 3] = False
    weights = model.attention(regions, fragments)[0, 0]  # [n_regions, seq_len]
    assert torch.allclose(weights.T, torch.tensor([[0.8, 0.2, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]]))


def test_the_labels_follow_the_dot_products_after_the_warm_up(tiny, made_up_regions):
    model = small(tiny, warmup=0.5)
    seen = []
    callback = lambda model, row: seen.append(model.alignment.guesses)  # noqa: E731
    itm.fit(model, tiny, epochs=2, batch_size=30, device="cpu", progress=False, callbacks=[callback])
    assert seen == [False, True]


def test_an_option_out_of_range_is_refused(tiny):
    for options, words in (({"warmup": 1.5}, "warmup is 1.5"), ({"smoothing": -1.0}, "smoothing is -1.0")):
        with pytest.raises(itm.ItmError, match=words):
            small(tiny, **options)

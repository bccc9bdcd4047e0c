"""Answers to chapter 12's questions, made from the numbers of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from itm_tutorial.chapters.ch12_correlation.kept_runs import Kept, kept_sentence
from itm_tutorial.chapters.ch12_correlation.measures.dcca import pearson
from itm_tutorial.chapters.ch12_correlation.structure_figures import distances_by_image
from itm_tutorial.encoders.fisher_vector import Mixture

CLEAR = 5.0  # points above guessing from which a model counts as one that reads the difference
LITTLE = 3.0  # points of a ratio that count as no change
FELL = 10.0  # times that a variance must fall to count as collapsed


def directions(images: Tensor, captions: Tensor, texts: Sequence[str], chosen: Sequence[int]) -> str:
    """Says how the correlation falls along the directions, and which captions lie at the ends of the first one.

    Args:
        images: projections [n_pairs, n_directions].
        captions: [n_pairs, n_directions].
        texts: the captions.
        chosen: directions that the figure shows, counted from 0.
    """
    r, first = pearson(images, captions), captions[:, chosen[0]]
    ends = [
        list(dict.fromkeys(texts[i] for i in first.argsort(descending=down).tolist()))[:2] for down in (False, True)
    ]
    values = ", ".join(f"{r[k].item():z.2f}" for k in chosen)
    at = [" and ".join(f"“{text}”" for text in some) for some in ends]
    return (
        f"The correlations are {values}. They are measured on test pairs. A later direction holds less that both "
        f"sides share, and more of what only the training pairs had in common. As for a meaning: at the lower end of "
        f"direction {chosen[0] + 1} are {at[0]}; at its upper end are {at[1]}."
    )


def batches(curves: Mapping[str, Sequence[Mapping[str, float]]], dim: int, kept: Kept | None = None) -> str:
    """Says from which batch size on the total correlation tells pairs from noise.

    Args:
        curves: "noise" and "pairs" -> rows with batch and correlation.
        dim: numbers per row of either view.
        kept: claim -> its kept results; by default those of the course.
    """
    of = {name: {int(row["batch"]): row["correlation"] for row in rows} for name, rows in curves.items()}
    both = sorted(of["noise"].keys() & of["pairs"].keys())
    few, many = max((n for n in both if n <= dim + 1), default=both[0]), both[-1]
    effect = "a batch of 1000 beats one of 33, the dimension plus one (R@10)"
    return (
        f"With {few} pairs the noise has a total correlation of {of['noise'][few]:.1f}, and the true pairs have "
        f"{of['pairs'][few]:.1f}: the number cannot tell them apart. A cloud of at most {dim + 1} points in {dim} "
        f"dimensions can be mapped onto any other, and CCA finds the map. With {many} pairs the noise is at "
        f"{of['noise'][many]:.1f} and the pairs are at {of['pairs'][many]:.1f}. So a batch must be much larger than "
        "the embedding. The paper trains with 100 pairs and 4,096 numbers. There the objective by itself says nothing, "
        "and the ridge, the start at the identity and early stopping must do the work.\n\n"
        f"{kept_sentence('dcca', [effect], kept)}"
    )


def deep_or_linear(
    found: Mapping[str, Mapping[str, Tensor]], rsum: Mapping[str, float], kept: Kept | None = None
) -> str:
    """Compares linear CCA with two networks: correlations and retrieval.

    Args:
        found: "linear CCA" and "DCCA" -> "train" and "test" -> correlations [n_directions].
        rsum: the same models -> rsum on the test split.
        kept: claim -> its kept results; by default those of the course.
    """
    sums = {name: {part: of[part].sum().item() for part in ("train", "test")} for name, of in found.items()}
    parts = [
        f"{name}: {of['train']:.1f} in training and {of['test']:.1f} on test pairs, rsum {rsum[name]:.0f}."
        for name, of in sums.items()
    ]
    correlated, retrieves = (max(values, key=values.get) for values in ({n: s["test"] for n, s in sums.items()}, rsum))
    same = "The same model" if correlated == retrieves else f"But {retrieves}"
    parts.append(
        f"On test pairs {correlated} correlates more. {same} retrieves better. The two need not agree: rsum depends on "
        "the first ranks alone, and a sum over directions weighs all directions alike."
    )
    effects = ["two networks beat linear CCA (rsum)", "test pairs correlate more than with linear CCA (sum)"]
    return f"{' '.join(parts)}\n\n{kept_sentence('dcca', effects, kept)}"


def shift(gradient: Tensor, mixture: Mixture, plane: Mapping[str, Tensor], sentence: Sequence[str]) -> str:
    """Says what kind of words each component holds, and which mean a sentence would move most.

    Args:
        gradient: [n_components, 2], the half of the means.
        mixture: of two dimensions.
        plane: word -> [2].
        sentence: words of the sentence, each a key of ``plane``.
    """
    names, places = list(plane), torch.stack(list(plane.values()))
    gamma, near = mixture.posteriors(places), torch.cdist(mixture.locations, places).argsort(1)  # [n_components, n]
    holds = [
        f"{k + 1} holds {_listed([names[i] for i in row if int(gamma[i].argmax()) == k][:4])}"
        for k, row in enumerate(near.tolist())
    ]
    long = gradient.norm(dim=1)
    most, least = int(long.argmax()), int(long.argmin())
    of = {k: [word for word in sentence if int(gamma[names.index(word)].argmax()) == k] for k in (most, least)}
    return (
        f"The words near each mean: component {'; '.join(holds)}. (On the full size they are adjectives and other "
        "small words, nouns in the singular, and plurals, although the vectors were learned without grammar.) The mean "
        f"of component {most + 1} moves most, by {long[most].item():.2f}, and that of component {least + 1} least, by "
        f"{long[least].item():.2f}. Each word pulls the component that explains it: of this caption, "
        f"{_listed(of[most])} for the first of the two, and {_listed(of[least])} for the other. Words on both sides "
        "of a mean cancel."
    )


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"*{word}*" for word in dict.fromkeys(words)) or "no word"


def distances(
    embeddings: Mapping[str, Tensor], image_of: Tensor, r1: Mapping[str, float], kept: Kept | None = None
) -> str:
    """Says whether the neighbour term brought captions of one image together, and what happened to the ranks.

    Args:
        embeddings: model without the term, then model with it -> unit vectors [n_captions, dim].
        image_of: int64 [n_captions].
        r1: the same models -> R@1 from image to text.
        kept: claim -> its kept results; by default those of the course.
    """
    means = {name: [one.mean().item() for one in distances_by_image(e, image_of)] for name, e in embeddings.items()}
    ratio = {name: 100 * same / other for name, (same, other) in means.items()}
    without, with_term = ratio
    change = ratio[with_term] - ratio[without]
    verdict = "the term changes little" if abs(change) < LITTLE else f"the term {'helps' if change < 0 else 'hurts'}"
    effects = [
        "with a weight of 1, a caption finds another one of its image better (R@1)",
        "with a weight of 1, an image finds its captions better (R@1)",
    ]
    return (
        f"Their mean distance is {means[without][0]:.2f} without the term and {means[with_term][0]:.2f} with it. But "
        f"look at the other captions too: theirs is {means[without][1]:.2f} and {means[with_term][1]:.2f}. What counts "
        f"is the ratio, {ratio[without]:.0f} % without and {ratio[with_term]:.0f} % with the term: here {verdict}. "
        "Also without it, captions of one image are close: each of them is pulled to its image. R@1 from image to text "
        f"is {r1[without]:.1f} without and {r1[with_term]:.1f} with the term, from one run of a few epochs.\n\n"
        f"{kept_sentence('spe', effects, kept)}"
    )


def variance(curves: Mapping[str, Sequence[float]], kept: Kept | None = None) -> str:
    """Says in which variants of 2WayNet the variance of the middle layer fell.

    Args:
        curves: variant -> variance before training and after each epoch.
        kept: claim -> its kept results; by default those of the course.
    """
    parts = []
    for name, (first, *_, last) in curves.items():
        times = first / max(last, 1e-12)
        if times >= FELL:
            what = f"{times:.0f} times less. This is a collapse"
        elif times > 1:
            what = f"{times:.1f} times less"
        else:
            what = f"{1 / times:.1f} times more"
        parts.append(f"*{name}*: from {first:.2g} to {last:.2g}, {what}.")
    parts.append(
        "A small h makes the distance of the two views small, and the layers behind it can make up for the scale with "
        "larger weights: the loss does not forbid it, and a larger weight on the distance asks for it. Batch "
        "normalisation fixes the variance before the activation, up to its scale gamma, and the penalty on small gamma "
        "holds this scale up. Decorrelation acts on what two numbers share. Because C is not centred, it also lowers "
        "what is large and common to all numbers."
    )
    effects = [
        "the variance of h is larger than without batch normalisation",
        "retrieval is better than without decorrelation (R@5)",
    ]
    return f"{' '.join(parts)}\n\n{kept_sentence('two_way_net', effects, kept)}"


def kind_recall(honest: Mapping[int, float], kind: Mapping[int, float], method: str) -> str:
    """Says what one rank too many adds at each k.

    Args:
        honest: k -> recall in percent.
        kind: k -> the same with ranks from 0 compared with <= k.
        method: the model that was measured.
    """
    gains = {k: kind[k] - honest[k] for k in honest}
    least, most = min(gains, key=gains.get), max(gains, key=gains.get)
    told = ", ".join(f"{gain:.1f} points at k = {k}" for k, gain in gains.items())
    return (
        f"For `{method}` the fault adds {told}. It adds most at k = {most} and least at k = {least}: "
        "it adds the queries whose item is exactly at rank k + 1, and a search puts most of them near the top. A "
        "table in which R@1 is high and R@5 low beside other methods is a sign of it, but no proof."
    )


def word_order(accuracy: Mapping[str, Mapping[str, float]], kept: Kept | None = None) -> str:
    """Says which minimal pairs models without word order can tell apart.

    Args:
        accuracy: model -> kind of minimal pair -> percent; guessing gives 50.
        kept: claim -> its kept results; by default those of the course.
    """
    alike: dict[str, list[str]] = {}
    for name, of in accuracy.items():
        read = [kind for kind, value in of.items() if value > 50 + CLEAR]
        guessed = [kind for kind in of if kind not in read]
        above = f"clearly above guessing for {' and '.join(read)}" if read else "nowhere clearly above guessing"
        near = f", and near or below it for {' and '.join(guessed)}" if guessed else ""
        alike.setdefault(above + near, []).append(f"`{name}`")
    parts = [f"{' and '.join(names)}: {what}." for what, names in alike.items()]
    parts.append(
        "Where only the order of the words decides, both captions of a pair have the same Fisher vector and the same "
        "tf-idf, so no image feature and no projection can help. A caption that says *left* has other words than one "
        "that says *right*; but what is left of what, no bag of words knows."
    )
    effects = ["above chance where the binding decides (points)", "above chance where the relation decides (points)"]
    return f"{' '.join(parts)}\n\n{kept_sentence('fisher_vector', effects, kept)}"


def first_captions(image_of: Tensor) -> Tensor:
    """The place of the first caption of each image, int64 [n_images]."""
    n = int(image_of.max()) + 1
    return torch.full((n,), len(image_of)).scatter_reduce(0, image_of, torch.arange(len(image_of)), "amin")

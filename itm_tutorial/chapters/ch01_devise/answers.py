"""The folded answers of chapter 01 that speak of a run: every number and every comparison is computed from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.ch01_devise.claims import FEWER_HUBS
from itm_tutorial.chapters.ch01_devise.kind_figures import first_labels, nearest_seen
from itm_tutorial.chapters.ch01_devise.label_figures import GUESSING, correlation
from itm_tutorial.chapters.ch01_devise.word_figures import group_of
from itm_tutorial.data.corpus import ClassTree
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.evaluation.class_metrics import hierarchical_precision, hit_at_k


def word_space(words: WordVectors, classes: ClassTree, kinds: Sequence[str]) -> str:
    """What the words of the kinds are near, and which hidden words are rivals.

    Args:
        words: the word vectors.
        classes: the tree.
        kinds: hidden kinds that the answer speaks of; others are left out.

    Returns:
        The answer.
    """
    units = words.unit().matrix(classes.names)  # [n_classes, dim]
    cosines = (units @ units.T).fill_diagonal_(-2)
    nearest = cosines.argmax(1).tolist()
    inside = [_same_family(classes, i, j) for i, j in enumerate(nearest)]
    unseen = classes.unseen_classes
    n, n_hidden = sum(inside), sum(inside[i] for i in unseen.tolist())
    text = (
        f"Each hidden point must lie in the cluster of its family. In this run the nearest word is of the same family "
        f"for {n} of {len(inside)} kinds, and for {n_hidden} of the {len(unseen)} hidden ones. "
        "That is not enough. Two kinds of one family must also differ in a direction in which their *pictures* differ, "
        "and the text describes much that no picture shows. Besides, hidden labels compete with each other:"
    )
    rivals = []
    for kind in kinds:
        i = classes.names.index(kind) if kind in classes.names else -1
        others = [j for j in unseen.tolist() if j != i]
        if kind in classes.seen or i < 0 or not others:
            continue
        rival = max(others, key=lambda j: cosines[i, j].item())
        family = "of the same family" if _same_family(classes, i, rival) else "of another family"
        rivals.append(f"the nearest hidden word to *{kind}* is *{classes.names[rival]}*, {family}, "
                      f"with a cosine of {cosines[i, rival]:.2f}")  # fmt: skip
    return (
        f"{text} {'; '.join(rivals)}."
        if rivals
        else text.removesuffix(" Besides, hidden labels compete with each other:")
    )


def precision(panels: Mapping[str, Mapping[str, Sequence[float]]], ks: Sequence[int]) -> str:
    """Where the classifier falls behind, and why the curves bend after the first guess.

    Args:
        panels: "seen kinds" and "hidden kinds" -> name of a model, among them softmax and DeViSE -> percent for each k.
        ks: the numbers of guesses.

    Returns:
        The answer.
    """
    seen, hidden = panels["seen kinds"], panels["hidden kinds"]
    behind = [k for k, a, b in zip(ks, seen["softmax"], seen["DeViSE"], strict=True) if a < b]
    start = (
        f"On seen kinds softmax has {seen['softmax'][0]:.0f} % and DeViSE {seen['DeViSE'][0]:.0f} % at k = {ks[0]}. "
    )
    start += (
        f"The classifier is behind DeViSE from k = {behind[0]} on"
        if behind and behind == [k for k in ks if k >= behind[0]]
        else f"The classifier is behind DeViSE at {len(behind)} of {len(ks)} values of k"
        if behind
        else "The classifier is behind DeViSE at no k"
    )
    best = max((name for name in hidden if name != GUESSING), key=lambda name: hidden[name][-1])
    return (
        f"{start}; at k = {ks[-1]} the two have {seen['softmax'][-1]:.0f} % and {seen['DeViSE'][-1]:.0f} %. "
        "The curves bend because C₁ contains the right label only, while C₂ contains the whole family, whose kinds are "
        "all equally far. A classifier is trained for its first label only. In the word space the labels of a family "
        "are near each other, so that a good first label brings others of the family with it.\n\n"
        f"On hidden kinds softmax starts at {hidden['softmax'][0]:.0f} %, and at k = {ks[-1]} the best model is {best} "
        f"with {hidden[best][-1]:.0f} %."
    )


def generalised(scores: Mapping[str, Tensor], identity: LongTensor, unseen: LongTensor) -> str:
    """How much accuracy each model loses when the seen labels become candidates.

    Args:
        scores: name of a model -> [n_images, n_classes], for pictures of hidden kinds.
        identity: int64 [n_images].
        unseen: int64 [n_unseen], the hidden classes.

    Returns:
        The answer.
    """
    both = {
        n: (hit_at_k(s, identity, among=unseen), hit_at_k(s, identity)) for n, s in scores.items() if n != "softmax"
    }
    listed = "; ".join(f"{name} from {zero:.1f} to {wide:.1f} %" for name, (zero, wide) in both.items())
    kept = {name: wide / zero for name, (zero, wide) in both.items() if zero > 0}
    text = (
        f"With all labels as candidates, hit@1 on hidden kinds falls: {listed}. Pictures of hidden kinds are mapped "
        "near the words of seen kinds."
    )
    if len(kept) > 1 and max(kept.values()) > min(kept.values()):
        least = min(kept, key=kept.get)
        text += f" {least} keeps the smallest share of its hits, {100 * kept[least]:.0f} %."
        text += (
            " Its loss asks a picture to be *at* its seen word, while a rank loss only asks for an order."
            if least == "L2"
            else ""
        )
    return text


def kinds(scores: Tensor, identity: LongTensor, classes: ClassTree) -> str:
    """Which hidden kinds are found, which are not, and whether wrong names come from the same family.

    Args:
        scores: [n_images, n_classes], for pictures of hidden kinds.
        identity: int64 [n_images].
        classes: the tree.

    Returns:
        The answer.
    """
    unseen = classes.unseen_classes
    predicted = unseen[scores[:, unseen].argmax(1)]  # [n_images]
    recall = {c: 100 * (predicted[identity == c] == c).double().mean().item() for c in identity.unique().tolist()}
    order = sorted(recall, key=recall.get, reverse=True)
    best, worst = ([f"*{classes.names[c]}* ({recall[c]:.0f} %)" for c in some] for some in (order[:3], order[-3:]))
    chance = 100 / len(unseen)
    below = sum(value < chance for value in recall.values())
    wrong = predicted != identity
    pairs = zip(predicted[wrong].tolist(), identity[wrong].tolist(), strict=True)
    inside = [_same_family(classes, a, b) for a, b in pairs]
    if recall[order[0]] == 0:
        return "No picture of a hidden kind gets its name: this run is too short to learn the map."
    text = (
        f"The mean hides large differences: {', '.join(best)} are found most often, {', '.join(worst)} least often. "
        f"For {below} of {len(recall)} kinds the share is below the {chance:.1f} % of guessing."
    )
    if inside:
        text += (
            f" Of all wrong names, {100 * sum(inside) / len(inside):.0f} % come from the same family. For the others, "
            "the picture was mapped to a wrong part of the word space."
        )
    return text


def words_and_pictures(
    kinds: Sequence[str], words: WordVectors, looks: Tensor, scores: Tensor, identity: LongTensor, classes: ClassTree
) -> str:
    """Why a kind is found or not: whether its pictures look like the seen kinds that its word is near.

    Args:
        kinds: the hidden kinds that the answer speaks of, each with a picture.
        words: the word vectors.
        looks: scores of the classifier, [n_images, n_classes], for pictures of hidden kinds.
        scores: scores of DeViSE, [n_images, n_classes].
        identity: int64 [n_images].
        classes: the tree.

    Returns:
        The answer.
    """
    parts = []
    for kind in kinds:
        shown = identity == classes.names.index(kind)
        near = [label for label, _ in nearest_seen(kind, words, classes, 2)]
        like = first_labels(looks[shown], classes, k=2)
        inside = family_share(looks[shown], kind, classes)
        named = dict(first_labels(scores[shown], classes, classes.unseen_classes, len(classes.names)))
        most, share = max(named.items(), key=lambda pair: (pair[1], pair[0] == kind))
        tied = next((f" together with *{label}*" for label, n in named.items() if n == share and label != most), "")
        listed = " and ".join(f"*{label}* ({value:.0f} %)" for label, value in like)
        verdict = (
            "The two paths agree" if inside >= 75
            else "The two paths disagree" if inside <= 25
            else "The two paths agree for a part of the pictures"
        )  # fmt: skip
        ending = (
            f"and *{kind}* is the most frequent name{tied}, with {share:.0f} %"
            if most == kind
            else f"and the most frequent name is *{most}* ({share:.0f} %); *{kind}* has {named.get(kind, 0.0):.0f} %"
        )
        parts.append(
            f"**{kind}**: the text puts its word near *{near[0]}* and *{near[-1]}*. The classifier takes its pictures "
            f"mostly for {listed}, and in {inside:.0f} % of them for a label of its family. {verdict}, {ending}."
        )
    return "\n\n".join([*parts, _over_all_kinds(looks, scores, identity, classes)])


def family_share(looks: Tensor, kind: str, classes: ClassTree) -> float:
    """The percentage of images whose first label is of the family of a kind; looks is [n_images, n_classes]."""
    c = classes.names.index(kind)
    return 100 * sum(_same_family(classes, c, j) for j in looks.argmax(1).tolist()) / len(looks)


def _over_all_kinds(looks: Tensor, scores: Tensor, identity: LongTensor, classes: ClassTree) -> str:
    """Whether a kind is found more often if the classifier takes its pictures for its own family."""
    unseen, pairs = classes.unseen_classes, []
    predicted = unseen[scores[:, unseen].argmax(1)]  # [n_images]
    for c in identity.unique().tolist():
        shown = identity == c
        found = 100 * (predicted[shown] == c).double().mean().item()
        pairs.append((family_share(looks[shown], classes.names[c], classes), found))
    r = correlation(*torch.tensor(pairs).T) if len(pairs) > 2 else None
    if r is None:
        return "There are too few pictures to compare all kinds."
    chance = 2 / len(pairs) ** 0.5
    verdict = (
        "kinds whose pictures look like their family are found more often" if r > chance
        else "kinds whose pictures look like their family are found *less* often" if r < -chance
        else "this alone does not explain which kinds are found"
    )  # fmt: skip
    return (
        f"Over all {len(pairs)} kinds, the correlation of this share and of zero-shot hit@1 is {r:+.2f}: {verdict} "
        f"(with {len(pairs)} kinds, chance gives values between -{chance:.2f} and +{chance:.2f})."
    )


def epochs(by_epoch: Sequence[Tensor], image: int, identity: LongTensor, classes: ClassTree) -> str:
    """When labels of the right family come to the front, and what stays ahead of the right label.

    Args:
        by_epoch: [n_images, n_classes] before training and after each epoch.
        image: whose labels.
        identity: int64 [n_images].
        classes: the tree.

    Returns:
        The answer.
    """
    c = int(identity[image])
    name = classes.names[c]
    firsts = [int(scores[image].argmax()) for scores in by_epoch]
    inside = [epoch for epoch, first in enumerate(firsts) if epoch and _same_family(classes, first, c)]
    ranks = [int((scores[image] > scores[image, c]).sum()) + 1 for scores in by_epoch]
    best = min(range(len(ranks)), key=ranks.__getitem__)
    last = by_epoch[-1][image]
    ahead = [classes.names[j] for j in last.argsort(descending=True).tolist() if last[j] > last[c]]
    seen = sum(label in classes.seen for label in ahead)
    family = sum(_same_family(classes, classes.names.index(label), c) for label in ahead)
    text = (
        f"A label of the family of *{name}* is first after {len(inside)} of {len(by_epoch) - 1} epochs. "
        if inside
        else f"No epoch puts a label of the family of *{name}* first. "
    )
    text += f"*{name}* itself goes from rank {ranks[0]} to {ranks[-1]}; its best rank is {ranks[best]}, "
    text += "before training. " if best == 0 else f"after epoch {best}. "
    if not ahead:
        return text + "At the end no label is ahead of it, although no picture of this kind was in the training set."
    return text + (
        f"At the end {len(ahead)} labels are ahead of it, {seen} of them seen labels and {family} of its family; "
        f"*{ahead[0]}* is first. The loss rewards high scores of seen labels, and hidden labels do not occur in it. "
        "(`fit` keeps the weights of the epoch with the best result on pictures of *seen* kinds.)"
    )


def hubs(
    counts: Mapping[str, LongTensor], lengths: Tensor, word_length: float, mapped_length: float, kept: Sequence[Mapping]
) -> str:
    """Whether the length of a word decides how often it is named, for each method.

    Args:
        counts: name of a method -> int64 [n_labels]; those of ridge regression have names that begin with "ridge".
        lengths: float [n_labels], of the raw word vectors.
        word_length: the mean length of raw word vectors.
        mapped_length: the mean length of what ridge regression predicts.
        kept: the effects of the claim "devise", as ``claims.results`` returns them.

    Returns:
        The answer.
    """
    chance = 2 / len(lengths) ** 0.5
    r = {method: correlation(lengths, n) or 0.0 for method, n in counts.items()}
    parts = [f"{method}: {_leaning(value, chance)} (r = {value:+.2f})" for method, value in r.items()]
    shrunk = "shorter than" if mapped_length < word_length else "no shorter than"
    return (
        f"The predicted vector of a picture (mean length {mapped_length:.2f}) is {shrunk} the word vectors "
        f"({word_length:.2f}). "
        "If predictions are short, the nearest word by distance is likely to be a *short* one, whatever the picture "
        "shows. A dot product grows with the length of the word, so that it should prefer *long* ones. A cosine does "
        "not depend on length.\n\n"
        f"Chance alone gives correlations between -{chance:.2f} and +{chance:.2f} with {len(lengths)} labels. This "
        f"run: {'; '.join(parts)}.\n\n"
        "DEM avoids the first effect in another way: there the regression shrinks the mapped words, and not the "
        "pictures that search for them. "
        f"{_kept_hubs(kept)}"
    )


def _leaning(r: float, chance: float) -> str:
    return "prefers long words" if r > chance else "prefers short words" if r < -chance else "no clear preference"


def paper(
    of_seen: Mapping[str, Tensor],
    of_hidden: Mapping[str, Tensor],
    seen_identity: LongTensor,
    hidden_identity: LongTensor,
    classes: ClassTree,
    kept: Sequence[Mapping],
) -> str:
    """Which of the paper's three results a run shows.

    Args:
        of_seen: name of a model, "softmax", "DeViSE" and "L2" -> [n_images, n_classes], for pictures of seen kinds.
        of_hidden: the same for pictures of hidden kinds.
        seen_identity: int64 [n_images].
        hidden_identity: int64 [n_images].
        classes: the tree.
        kept: the effects of the claim "devise", as ``claims.results`` returns them.

    Returns:
        The answer.
    """
    unseen, distances = classes.unseen_classes, classes.distances()
    zero = {name: hit_at_k(scores, hidden_identity, among=unseen) for name, scores in of_hidden.items()}
    chance = 100 / len(unseen)
    one = (
        f"**Hidden labels.** DeViSE has a zero-shot hit@1 of {zero['DeViSE']:.1f} %, and guessing {chance:.1f} %: "
        f"{'found' if zero['DeViSE'] > 2 * chance else 'not found'}."
    )
    two = (
        f"**Rank loss against L2.** {zero['DeViSE']:.1f} against {zero['L2']:.1f} %: "
        + ("found. " if zero["DeViSE"] >= 1.5 * zero["L2"] else "the rank loss is ahead, but not by a factor of two. "
           if zero["DeViSE"] > zero["L2"] else "not found; L2 is at least as good. ")
        + f"{_kept_losses(kept)} Here a picture has 47 rivals, in the paper 999."
    )  # fmt: skip
    hit = {name: hit_at_k(of_seen[name], seen_identity) for name in ("softmax", "DeViSE")}
    tree = {name: hierarchical_precision(of_seen[name], seen_identity, distances, 5) for name in hit}
    found = hit["softmax"] > hit["DeViSE"] and tree["DeViSE"] > tree["softmax"]
    three = (
        f"**Softmax against DeViSE on seen kinds.** Flat hit@1: {hit['softmax']:.1f} against {hit['DeViSE']:.1f} %. "
        f"Hierarchical precision@5: {tree['softmax']:.1f} against {tree['DeViSE']:.1f} %: "
        f"{'found' if found else 'not found'}."
    )
    return "\n\n".join((one, two, three))


def _kept_hubs(kept: Sequence[Mapping]) -> str:
    effect = _effect(kept, f"{FEWER_HUBS} N_1 unseen, L2 less dem")
    return (
        f'Over the {len(effect["values"])} runs that we keep (`itm.claims.results("devise")`), the skewness of L2 is '
        f"{abs(effect['mean']):.1f} {'higher' if effect['mean'] > 0 else 'lower'} than that of DEM (standard error "
        f"{effect['standard_error']:.1f}). The verdict on fewer hubs is: {effect['verdict']}."
    )


def _kept_losses(kept: Sequence[Mapping]) -> str:
    effect = _effect(kept, "rank loss beats L2 in zero-shot hit@1 (points)")
    return (
        f"Over the {len(effect['values'])} runs that we keep, the rank loss is {abs(effect['mean']):.1f} points "
        f"{'ahead of' if effect['mean'] > 0 else 'behind'} L2 (standard error {effect['standard_error']:.1f})."
    )


def _effect(kept: Sequence[Mapping], name: str) -> Mapping:
    return next(effect for effect in kept if effect["name"] == name)


def _same_family(classes: ClassTree, a: int, b: int) -> bool:
    return group_of(classes, classes.names[a])[0] == group_of(classes, classes.names[b])[0]

"""Answers to chapter 03's questions, made from the numbers of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from itm_tutorial.chapters.ch03_scan.exercises import normalised_similarities
from itm_tutorial.data.corpus import Split
from itm_tutorial.evaluation.grounding import CONTROLS
from itm_tutorial.show.attention_view import AttentionView
from itm_tutorial.show.figures import KINDS

if TYPE_CHECKING:
    from itm_tutorial.evaluation.grounding import Attention, AttentionReport
    from itm_tutorial.evaluation.minimal_pairs import MinimalPairResult

ROWS = {
    "rsum": "given the same {}, scan beats vsepp (rsum)",
    **{
        name: f"given the same {{}}, scan beats vsepp where the {kind} decides (points)" for kind, name in KINDS.items()
    },
}


def words_and_boxes(seen: Attention, split: Split, i: int = 0) -> str:
    """Says which words of a caption attend to what they name, and what a word without a box does."""
    view = AttentionView.of(seen, split, i, None, "mini")
    places = view.places_of(None)
    of = {hit: [view.words[w] for w in places if view.hit(w) == hit] for hit in ("inside", "outside", "spread")}
    without = [view.words[w] for w in places if w not in view.named]
    n = sum(map(len, of.values()))
    parts = [
        f"{len(of['inside'])} of {n} words that name a box have their largest weight in it{_listed(of['inside'])}."
    ]
    if of["outside"]:
        parts.append(f"Largest weight elsewhere: {_words(of['outside'])}.")
    if of["spread"]:
        parts.append(f"Hardly any preference, with no weight of twice uniform attention: {_words(of['spread'])}.")
    if without:
        parts.append(
            f"{_words(without)} {'names' if len(without) == 1 else 'name'} no box. Still, the weights of such a word "
            "sum to one: it must attend to something."
        )
    parts.append("So a map of attention always shows *something*, and one good map proves little. Below, you count.")
    return " ".join(parts)


def rows_and_columns(similarities: Tensor, tokens: Sequence[str]) -> str:
    """Says what a high column and a high row of similarities do to attention, [n_regions, n_words]."""
    region, word = int(similarities.mean(1).argmax()), int(similarities.mean(0).argmax())
    n_words, tops = similarities.shape[1], similarities.argmax(0)
    alike = int((tops[1:] == tops[:-1]).sum())
    before, after = (int((s.argmax(0) == region).sum()) for s in (similarities, _by_row(similarities)))
    change = f"in {after}" if after != before else f"again in {after}"
    return (
        f"The highest column is that of *{tokens[word]}* (mean {similarities[:, word].mean():.2f}). It gives no "
        "region an advantage: attention compares the numbers within one column, and there all of them are high.\n\n"
        f"A high row would be an advantage: a region that resembles every word would win every column. Here the "
        f"highest row is that of region {region + 1} (mean {similarities[region].mean():.2f}), which is the largest "
        f"in {before} of {n_words} columns. SCAN prevents such wins: it divides each row by its own length over the "
        f"words. After this, region {region + 1} is the largest {change}. The toy below Exercise 2 shows a region "
        "that resembles every word.\n\n"
        f"Neighbouring words often share their largest region, here in {alike} of {n_words - 1} cases. The vector of "
        "a word comes from a GRU that has read its neighbours too, so that *a* before *dog* is similar to *dog*."
    )


def detected(things: float, empty: float) -> str:
    """Says what attention makes of a detector's mistakes, from two percentages.

    Args:
        things: true things with a region, in percent.
        empty: regions without a thing, in percent.
    """
    missed = 100 - things
    if missed < 0.5:
        limit = "Every thing has a region, so that each word can find its thing."
    else:
        limit = f"But {missed:.0f} % of the things have no region. A word for such a thing cannot attend to it."
    return (
        f"In this split {empty:.0f} % of the regions overlap no thing by half: a scene has fewer than twelve things, "
        "so the other regions show a part, a pair or some background. Attention can ignore these regions, because no "
        f"word has to attend to them. {limit}"
    )


def by_kind(results: Mapping[str, Mapping[str, MinimalPairResult]], rsum: Mapping[str, float]) -> str:
    """Compares two models, the first with attention, kind by kind; a difference must exceed twice its standard error.

    Args:
        results: model -> kind of pair -> accuracy.
        rsum: model, or "ceiling" -> rsum.
    """
    first, second = results
    verdicts: dict[str, list[str]] = {"ahead": [], "behind": [], "close": []}
    for kind, one in results[first].items():
        other = results[second][kind]
        gap, error = one.accuracy - other.accuracy, (one.standard_error**2 + other.standard_error**2) ** 0.5
        verdict = "ahead" if gap > 2 * error else "behind" if gap < -2 * error else "close"
        verdicts[verdict].append(f"{KINDS.get(kind, kind)} ({one.accuracy:.0f} % against {other.accuracy:.0f} %)")
    parts = []
    for verdict, text in (("ahead", "is ahead of"), ("behind", "is behind")):
        if verdicts[verdict]:
            parts.append(f"`{first}` {text} `{second}` where the pictures differ in: {'; '.join(verdicts[verdict])}.")
    if verdicts["close"]:
        parts.append(f"This run shows no clear difference on: {'; '.join(verdicts['close'])}.")
    gain = rsum[first] - rsum[second]
    parts.append(
        f"In rsum attention {'gains' if gain > 0 else 'loses'} {abs(gain):.0f}; the ceiling is "
        f"{rsum['ceiling'] - rsum[first]:.0f} above it. The ceiling is what an oracle reaches that reads the true "
        "scene. It stays below 600 because captions leave things out."
    )
    parts.append(
        "A region keeps an object and its colour together, while the mean over all regions mixes the colours of all "
        "objects. Sides and counts are another matter: the section *Break it* shows why."
    )
    return "\n\n".join([" ".join(parts[:-1]), parts[-1]])


def pointing(report: AttentionReport) -> str:
    """Says by how much the model exceeds its best baseline, by word class."""
    parts, behind = [], []
    for word_class in report.words:
        best = max(CONTROLS, key=lambda name: _known(report.pointing[name][word_class]))
        model, control = (report.pointing[name][word_class] for name in ("model", best))
        (parts if model > control else behind).append(f"{word_class}s ({model:.0f} % against {control:.0f} %, {best})")
    said = []
    if parts:
        said.append(f"The model exceeds its best baseline for: {'; '.join(parts)}.")
    if behind:
        said.append(f"It does not for: {'; '.join(behind)}.")
    return (
        " ".join(said)
        + "\n\nThe fairest baseline is a word of another caption: model and picture are the same, and only "
        "the word is wrong. If the model were no better than this, its words would attend to whatever stands out, "
        "not to what they name. Training never used the position of anything.\n\nRelations are easy to hit by "
        "chance, for two reasons: *left* names two things, and each word of *to the left of* counts, since the "
        "phrase as a whole names them."
    )


def sharpness(rsums: Mapping[float, float], trained: float) -> str:
    """Says what lambda does to rsum in a trained model.

    Args:
        rsums: lambda -> rsum on the validation split; 0 among them.
        trained: the lambda of the training.
    """
    best, largest = max(rsums, key=rsums.get), max(rsums)
    gain = rsums[trained] - rsums[0]
    beyond = rsums[largest] - rsums[trained]
    return (
        f"From λ = 0 to the trained λ = {trained:g}, rsum {'rises' if gain > 0 else 'falls'} by {abs(gain):.0f}. "
        "With λ = 0 every word receives the plain mean of the regions: attention is switched off. From "
        f"{trained:g} to {largest:g}, rsum changes by {beyond:+.0f}; it is highest at λ = {best:g}. The *order* of a "
        "word's weights does not depend on λ, as softmax keeps the order of its inputs. So the pointing game, which "
        "uses only the largest weight, gives the same result for every λ above 0."
    )


def price(taken: Mapping[str, Mapping[int, float]], recalls: Mapping[int, float]) -> str:
    """Says what a search costs, and what a shortlist of some images keeps of the recall.

    Args:
        taken: "one vector", "cross attention", "shortlist of 20" -> images in the gallery -> seconds per query.
        recalls: length of the shortlist -> R@1 in percent; the largest length is the whole gallery.
    """
    n, whole = max(taken["one vector"]), max(recalls)
    slower, saved = (taken["cross attention"][n] / taken[name][n] for name in ("one vector", "shortlist of 20"))
    lost = recalls[whole] - recalls[20]
    change = f"{'loses' if lost > 0 else 'gains'} {abs(lost):.1f} points of R@1"
    keeps = change if abs(lost) >= 0.05 else "loses nothing in R@1"
    return (
        f"Both axes are logarithmic: a straight line of slope 1 means that time grows in proportion to the gallery. "
        f"With {n:,} images cross attention takes {slower:.0f} times as long as one vector per image, and "
        f"{saved:.1f} times as long as the shortlist. The shortlist pays for 20 images, however large the gallery; "
        f"only its quick part grows.\n\n On the test split, a shortlist of 20 {keeps} compared with scoring all "
        f"images ({recalls[20]:.1f} against {recalls[whole]:.1f}). An image that the quick model leaves out cannot "
        "come back: R@1 after a shortlist of k is at most the quick model's R@k."
    )


def kept_claims(effects: Sequence[Mapping]) -> str:
    """A table of SCAN against VSE++ over several seeds, with both kinds of features, from kept claims.

    Args:
        effects: of ``itm.claims.results("scan")``.

    Returns:
        Lines of text; a difference that its claim calls too close to say is in brackets.
    """
    by_name = {effect["name"]: effect for effect in effects}
    n = len(next(iter(by_name.values()))["values"])
    title = f"scan minus vsepp on the same features, mean of {n} seeds ± two standard errors"
    lines = [title, f"{'':<22}{'regions':>18}{'grid':>18}"]
    for row, name in ROWS.items():
        cells = [_cell(by_name.get(name.format(features))) for features in ("regions", "grid")]
        lines.append(f"{row:<22}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join([*lines, "(in brackets: too close to say; the last four rows are percentage points)"])


def _by_row(similarities: Tensor) -> Tensor:
    """Rectified similarities with rows of length 1, as Exercise 1 asks for them."""
    return normalised_similarities.own(similarities)


def _cell(effect: Mapping | None) -> str:
    if effect is None:
        return "not run"
    text = f"{effect['mean']:+.1f} ± {2 * effect['standard_error']:.1f}"
    return f"({text})" if effect["verdict"] == "too close to say" else f"{text} "


def _known(value: float) -> float:
    """A percentage, or -1 where it is not known (nan)."""
    return value if value == value else -1.0


def _words(words: Sequence[str]) -> str:
    return ", ".join(f"*{word}*" for word in dict.fromkeys(words))


def _listed(words: Sequence[str]) -> str:
    return f": {_words(words)}" if words else ""

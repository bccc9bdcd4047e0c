"""Stories: a text in which consecutive sentences are about one scene, from which sentence vectors can be learned.

A story tells of a place with two or three things. Its sentences name these things again and again, in other words and
in another order; in the middle one thing goes and another comes, so that the second half is about a related scene. No
picture is drawn. Nouns, places, verbs and relations are those of the drawn scenes' lexicon; the sentences are not those
of its captions.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

from itm_tutorial.errors import ItmError
from itm_tutorial.worlds.scenes import lexicon
from itm_tutorial.worlds.scenes.kinds import KINDS, LIGHTS, PLACES
from itm_tutorial.worlds.streams import stream

KEPT_OUT = (  # kinds that no story tells of, nearly one per family: the stories teach no word for them
    "cow", "hen", "truck", "bicycle", "sailboat", "helicopter", "barn", "pine", "tulip", "bench", "pear", "drum",
    "bucket",
)  # fmt: skip
TEMPLATES = (  # a word in capitals is a slot, filled by _fill; A and B are two things, N and M the same with "the"
    "there is A PLACE",
    "A VERBS_A PLACE",
    "A VERBS_A REL B",
    "A and B PLACE",
    "PLACE A VERBS_A REL B",
    "LIGHT we see A REL B",
    "a child draws A and B",
    "a photo of A with B nearby",
    "N VERBS_A REL M",
    "a picture of A REL B",
    "we see M VERBS_B BACK N",
    "a view of A PLACE LIGHT",
)
ARRIVALS = ("then we find A PLACE", "later we find A REL B", "soon A VERBS_A REL M", "at last we see A REL M")
RELATIONS = tuple(name for name, turned in lexicon.RELATIONS if not turned and name != "on")
FAR = 0.05  # how likely a thing is outside its usual places, relative to inside


@dataclass(frozen=True)
class Figure:
    """A thing of a story.

    Attributes:
        kind: a name in ``kinds.KINDS``.
        colour, size, pattern: as for the scenes' things.
        count: one to four.
    """

    kind: str
    colour: str
    size: str
    pattern: str
    count: int


@dataclass(frozen=True)
class Setting:
    """What the sentences of half a story are about.

    Attributes:
        place, light: as for scenes.
        figures: two or three, of different kinds.
        relation: of the first figure to the second, and of the second to the third, such as "left".
    """

    place: str
    light: str
    figures: tuple[Figure, ...]
    relation: str


def write_stories(
    n_stories: int = 12_000, seed: int = 0, n_sentences: int = 6, shuffled: bool = False, kept_out: tuple = KEPT_OUT
) -> list[list[list[str]]]:
    """Writes stories about scenes that are in no corpus.

    Args:
        n_stories: how many; a shorter text is the beginning of a longer one, unless it is shuffled.
        seed: of the text.
        n_sentences: per story, at least three.
        shuffled: whether to deal the same sentences out to the stories at random, so that neighbours have nothing in
            common: the control for what the order of sentences teaches.
        kept_out: kinds that no story tells of.

    Returns:
        Per story its sentences, each as a list of lower-case words without punctuation, as from ``data.text.tokenize``.

    Raises:
        ItmError: a number is too small, or ``kept_out`` names no kind, or too many.
    """
    if not isinstance(n_stories, int) or n_stories < 1:
        raise ItmError(f"n_stories is {n_stories!r}; give a whole number of 1 or more")
    if not isinstance(n_sentences, int) or n_sentences < 3:
        raise ItmError(f"n_sentences is {n_sentences!r}; give 3 or more, so that one sentence has two neighbours")
    if wrong := sorted(set(kept_out) - set(KINDS)):
        raise ItmError(f"kept_out names {wrong[0]!r}; give names of kinds, such as 'cow'")
    kinds = _kinds_by_place(set(kept_out))
    rng = stream("stories", seed, "text")
    stories = [_story(rng, kinds, n_sentences) for _ in range(n_stories)]
    if shuffled:
        sentences = [sentence for story in stories for sentence in story]
        stream("stories", seed, "shuffle").shuffle(sentences)
        stories = [sentences[start : start + n_sentences] for start in range(0, len(sentences), n_sentences)]
    return stories


def kept_out_words(kept_out: tuple = KEPT_OUT) -> set[str]:
    """Every word for the kinds that no story tells of: names, synonyms and their plurals."""
    singular = {noun for kind in kept_out for noun in lexicon.nouns(kind)}
    return singular | {lexicon.plural(noun) for noun in singular}


def _kinds_by_place(kept_out: set[str]) -> dict[str, tuple[list[str], list[float]]]:
    """Per place, the kinds and the sums of their weights up to each."""
    found = {}
    for place in PLACES:
        kinds = [kind for kind in KINDS.values() if kind.name not in kept_out]
        if len(kinds) < 4:
            raise ItmError(f"kept_out leaves {len(kinds)} kinds to tell of; leave 4 or more")
        weights = [kind.weight * (1 if place in kind.places else FAR) for kind in kinds]
        found[place] = ([kind.name for kind in kinds], list(accumulate(weights)))
    return found


def _story(rng: Random, kinds: dict, n_sentences: int) -> list[list[str]]:
    """One story: half of its sentences about a setting, one of an arrival, the others about the changed setting."""
    setting = _setting(rng, kinds)
    half = n_sentences // 2
    sentences = [_sentence(rng, setting, _one_of(rng, TEMPLATES)) for _ in range(half)]
    changed = _with_a_newcomer(rng, setting, kinds)
    sentences.append(_sentence(rng, changed, _one_of(rng, ARRIVALS), newcomer_first=True))
    sentences += [_sentence(rng, changed, _one_of(rng, TEMPLATES)) for _ in range(n_sentences - half - 1)]
    return sentences


def _setting(rng: Random, kinds: dict) -> Setting:
    place, light = _one_of(rng, PLACES), _one_of(rng, LIGHTS)
    figures: list[Figure] = []
    for _ in range(2 if rng.random() < 0.5 else 3):
        figures.append(_figure(rng, kinds[place], {figure.kind for figure in figures}))
    return Setting(place, light, tuple(figures), _one_of(rng, RELATIONS))


def _with_a_newcomer(rng: Random, setting: Setting, kinds: dict) -> Setting:
    """The related scene: the first figure is a new one, the others stay, and so do place and light."""
    newcomer = _figure(rng, kinds[setting.place], {figure.kind for figure in setting.figures})
    return replace(setting, figures=(newcomer, *setting.figures[1:]), relation=_one_of(rng, RELATIONS))


def _figure(rng: Random, kinds: tuple[list[str], list[float]], taken: set[str]) -> Figure:
    names, reach = kinds
    while (name := names[bisect(reach, rng.random() * reach[-1], hi=len(reach) - 1)]) in taken:
        pass
    kind = KINDS[name]
    colour = kind.colours[int(len(kind.colours) * rng.random() ** 1.5)]  # the first ones are the most common
    size = _one_of(rng, ("small", "medium", "medium", "large"))
    pattern = _one_of(rng, ("plain", "striped", "spotted")) if kind.patterns else "plain"
    count = _one_of(rng, (1, 1, 1, 1, 1, 2, 3, 4)) if kind.height <= 0.26 else 1
    return Figure(name, colour, size, pattern, count)


def _sentence(rng: Random, setting: Setting, template: str, newcomer_first: bool = False) -> list[str]:
    """Fills a template with two neighbouring figures of a setting, in either order."""
    first = 0 if newcomer_first or len(setting.figures) == 2 else int(2 * rng.random())
    a, b, turned = setting.figures[first], setting.figures[first + 1], False
    if not newcomer_first and rng.random() < 0.5:
        a, b, turned = b, a, True
    words: list[str] = []
    for piece in template.split():
        words += _fill(rng, piece, setting, a, b, turned) if piece.isupper() else [piece]
    return words


def _fill(rng: Random, slot: str, setting: Setting, a: Figure, b: Figure, turned: bool) -> list[str]:
    if slot in ("A", "B", "N", "M"):
        return _named(rng, a if slot in "AN" else b, definite=slot in "NM")
    if slot == "PLACE":
        return _one_of(rng, lexicon.PLACES[setting.place]).split()
    if slot == "LIGHT":
        return _one_of(rng, lexicon.LIGHTS.get(setting.light, ("by day", "in the morning"))).split()
    if slot in ("REL", "BACK"):  # of A to B, or of B to A
        turned, beside = turned != (slot == "BACK"), rng.random() < 0.4
        return _one_of(rng, lexicon.BESIDE[:3] if beside else lexicon.RELATIONS[setting.relation, turned]).split()
    figure = a if slot == "VERBS_A" else b
    singular, plural = _one_of(rng, lexicon.VERBS.get(KINDS[figure.kind].family, lexicon.LIES))
    return (singular if figure.count == 1 else plural).split()


def _named(rng: Random, figure: Figure, definite: bool) -> list[str]:
    """A noun phrase: determiner or number, size, pattern, colour, a word for the kind; people wear colours."""
    family = KINDS[figure.kind].family
    called = family if family in lexicon.HYPERNYMS and rng.random() < 0.1 else figure.kind
    noun = _one_of(rng, lexicon.nouns(called))
    size = figure.size if figure.size != "medium" and rng.random() < 0.4 else None
    pattern = figure.pattern if figure.pattern != "plain" and rng.random() < 0.4 else None
    colour = figure.colour if rng.random() < 0.7 else None
    before = [_one_of(rng, lexicon.sizes(called)[size])] if size else []
    looks = [_one_of(rng, lexicon.PATTERNS[pattern])] if pattern else []
    looks += [_one_of(rng, lexicon.COLOUR_SYNONYMS.get(colour, (colour,)))] if colour else []
    after = []
    if family == "person":
        after = ["in", *looks, *(["clothes"] if pattern else [])] if looks else []
        looks = []
    name = [*before, *looks, noun if figure.count == 1 else lexicon.plural(noun), *after]
    if definite:
        return ["the", *name]
    if figure.count > 1:
        return [lexicon.NUMBERS[figure.count] if rng.random() < 0.75 else _one_of(rng, lexicon.VAGUE), *name]
    return ["an" if name[0][0] in "aeiou" else "a", *name]


def _one_of(rng: Random, options):
    return options[int(len(options) * rng.random())]

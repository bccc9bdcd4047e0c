"""The lore: a text about the kinds, written by a grammar, from which word vectors can be learned.

The templates are the same for every kind. Their slots are filled from ``knowledge``, from the places and colours of
``kinds``, and from the tree; kinds of one family have its entries in common, and each kind has some of its own.
"""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate, permutations

from itm_tutorial.errors import ItmError
from itm_tutorial.worlds.objects import knowledge
from itm_tutorial.worlds.objects.tree import parents
from itm_tutorial.worlds.scenes import lexicon
from itm_tutorial.worlds.scenes.kinds import KINDS, Kind
from itm_tutorial.worlds.scenes.lexicon import plural
from itm_tutorial.worlds.streams import stream

TAIL = (
    1.5  # exponent of the scenes' weights: there are about twenty times more sentences about dogs than about scooters
)
TEMPLATES = (  # a word in capitals is a slot, filled by _slots
    "A is A_FAMILY",
    "the KIND is a kind of FAMILY",
    "KINDS are FAMILIES",
    "A_GROUP such as A is GROUP_TRAIT",
    "A_FAMILY that can DO_OWN may be A",
    "is A A_FAMILY yes because it can DO",
    "A has PART",
    "every KIND has PART",
    "KINDS have TWO_PARTS",
    "the KIND has PART_OWN and can DO",
    "a child draws A with PART_OWN",
    "you know A by PART_OWN",
    "A can DO",
    "the KIND can DO PLACE",
    "KINDS DO_TWO",
    "people say that KINDS DO_OWN",
    "LIGHT the KIND will DO",
    "A is TRAIT",
    "KINDS are TWO_TRAITS",
    "this KIND is TRAIT and can DO",
    "A LIVES PLACE",
    "most KINDS LIVE PLACE",
    "you can find A PLACE",
    "there is COLOURED PLACE LIGHT",
    "we saw COLOURED with PART PLACE",
    "COLOURED can DO",
    "A OFTEN_COLOUR",
    "some KINDS TWO_COLOURS",
    "A is SIZE and has PART",
    "A is COMPARED",
    "A looks like KIN",
    "A looks like KIN but has PART_OWN",
    "unlike KIN A can DO_OWN",
    "A and KIN both DO_FAMILY",
    "like other FAMILIES KINDS have PART_FAMILY",
    "KINDS and KIN_PLURAL are alike because they DO_FAMILY",
    "where there is A there is often COMPANY",
    "A and COMPANY go together",
)
LIGHTS = ("at night", "in the evening", "by day")
ON_WATER = {"lake": ("on the lake",), "beach": ("on the sea",), "park": ("on the pond",), "farm": ("on the pond",)}


def write_lore(n_sentences: int = 100_000, seed: int = 0) -> list[list[str]]:
    """Writes a text about the kinds: what they are, have and do, where they live, and how they look.

    Args:
        n_sentences: number of sentences; a shorter text is the beginning of a longer one.
        seed: of the text.

    Returns:
        The sentences, each as a list of lower-case words without punctuation, as from ``data.text.tokenize``.

    Raises:
        ItmError: ``n_sentences`` is less than 1.
    """
    if not isinstance(n_sentences, int) or n_sentences < 1:
        raise ItmError(f"n_sentences is {n_sentences!r}; give a whole number of 1 or more")
    slots_of = [_slots(kind) for kind in KINDS.values()]
    templates = [template.split() for template in TEMPLATES]
    reach = list(accumulate(kind.weight**TAIL for kind in KINDS.values()))
    random = stream("objects", seed, "lore").random
    sentences = []
    for _ in range(n_sentences):
        slots = slots_of[bisect(reach, random() * reach[-1], hi=len(reach) - 1)]
        sentence: list[str] = []
        for piece in templates[int(random() * len(templates))]:
            if piece.isupper():
                options = slots[piece]
                sentence += options[int(random() * len(options))]
            else:
                sentence.append(piece)
        sentences.append(sentence)
    return sentences


def _slots(kind: Kind) -> dict[str, list[list[str]]]:
    """Maps each slot to its possible fillers in a sentence about this kind, split into words."""
    filled = {**_names(kind), **_kin(kind), **_knowledge(kind), **_looks(kind), "LIGHT": LIGHTS, "PLACE": _places(kind)}
    lives, live = knowledge.FAMILY_LIVES[kind.family]
    filled |= {"LIVES": [lives], "LIVE": [live]}
    return {slot: [option.split() for option in options] for slot, options in filled.items()}


def _names(kind: Kind) -> dict[str, list[str]]:
    group = parents()[kind.family]
    counted = {"furniture": "piece of furniture", "transport": "means of transport"}  # no plural, no "a" before them
    return {
        "KIND": [kind.name],
        "KINDS": [plural(kind.name)],
        "A": [_a(kind.name)],
        "FAMILY": [kind.family],
        "FAMILIES": [plural(kind.family)],
        "A_FAMILY": [_a(counted.get(kind.family, kind.family))],
        "A_GROUP": [_a(counted.get(group, group))],
        "GROUP_TRAIT": _entries(knowledge.GROUP_TRAITS[group]),
    }


def _kin(kind: Kind) -> dict[str, list[str]]:
    lookalikes = [other for name, other in knowledge.pairs(knowledge.LOOKALIKES) if name == kind.name]
    same_family = [other for other in KINDS.values() if other.family == kind.family and other is not kind]
    named = [other.name for other in same_family] + 6 * lookalikes
    return {
        "KIN": [_a(name) for name in named],
        "KIN_PLURAL": [plural(name) for name in named],
        "COMPARED": [_compared(kind, other) for other in same_family],
        "COMPANY": [_a(other) for name, other in knowledge.company() if name == kind.name],
    }


def _knowledge(kind: Kind) -> dict[str, list[str]]:
    """Parts, deeds and traits: those of the family, those of the kind, and pairs of them."""
    parts, deeds, traits = (_entries(cell) for cell in knowledge.FAMILY_LORE[kind.family].split("|"))
    own_parts, own_deeds, own_traits = (_entries(cell) for cell in knowledge.KIND_LORE[kind.name].split("|"))
    return {
        "PART": parts + own_parts,
        "PART_OWN": own_parts,
        "PART_FAMILY": parts,
        "TWO_PARTS": [f"{a} and {b}" for a, b in permutations(parts + own_parts, 2)],
        "DO": deeds + own_deeds,
        "DO_OWN": own_deeds,
        "DO_FAMILY": deeds,
        "DO_TWO": [f"{a} and {b}" for a, b in permutations(deeds + own_deeds, 2)],
        "TRAIT": traits + own_traits,
        "TWO_TRAITS": [f"{a} and {b}" for a, b in permutations(traits + own_traits, 2)],
    }


def _looks(kind: Kind) -> dict[str, list[str]]:
    """Colours, common ones more often, and size; the colour of people is that of their clothes."""
    person = kind.family == "person"
    wear, wears = ("wear", "often wears") if person else ("are", "is often")
    colours = [colour for i, colour in enumerate(kind.colours) for _ in range(round(6 / (1 + 0.5 * i)))]
    seq_len = kind.height * max(1.0, kind.aspect)
    size = ("small", "little") if seq_len < 0.2 else ("large", "big") if seq_len > 0.34 else ("not small", "not large")
    return {
        "COLOURED": [_a(f"{kind.name} in {c}" if person else f"{c} {kind.name}") for c in colours],
        "OFTEN_COLOUR": [f"{wears} {colour}" for colour in colours],
        "TWO_COLOURS": [f"{wear} {a} and others {wear} {b}" for a, b in permutations(kind.colours, 2)],
        "SIZE": list(size),
    }


def _places(kind: Kind) -> list[str]:
    if kind.habitat == "sky":
        return [f"over the {place}" for place in kind.places]
    phrases = ON_WATER if kind.habitat == "water" else lexicon.PLACES
    return [phrase for place in kind.places for phrase in phrases[place][:2]]


def _entries(cell: str) -> list[str]:
    return [entry.strip() for entry in cell.split(",")]


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _compared(kind: Kind, other: Kind) -> str:
    """Compares the sizes of two kinds by the area of their boxes."""
    ratio = kind.height**2 * kind.aspect / (other.height**2 * other.aspect)
    if 0.8 < ratio < 1.25:
        return f"as large as {_a(other.name)}"
    return f"{'larger' if ratio > 1 else 'smaller'} than {_a(other.name)}"

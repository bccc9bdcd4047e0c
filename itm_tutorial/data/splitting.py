"""Splits for data that come without any: by a hash of each name, so that new pictures do not move the others."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from itm_tutorial.data.names import SPLITS
from itm_tutorial.errors import ItmError

FRACTIONS = (0.8, 0.1, 0.1)  # of the training, validation and test split
# the words that the `datasets` library reads as splits, in a column or as the name of a folder or file
KEYWORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "validation", "valid", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
    "restval": "train",  # Karpathy's fourth split: the field trains on it
}


def assign(groups: Iterable[str], seed: int = 0, fractions: Sequence[float] = FRACTIONS) -> dict[str, str]:
    """Assigns groups of pictures to train, val and test.

    A hash of the seed and of the group's name gives a number in [0, 1), and the number decides: below 0.8 train, below
    0.9 val, else test. So the order does not matter, and a picture that is added later does not move the others. Where
    so few groups leave a split short (two in train, one in val and test), it takes the groups whose numbers are nearest
    to its own range from a split that has some to spare.

    Args:
        groups: a picture's name, or the name of the person whose pictures must stay together.
        seed: another seed, other splits.
        fractions: of train, val and test.

    Returns:
        Group -> "train", "val" or "test".

    Raises:
        ItmError: there are fewer than three groups, or the fractions are not three positive numbers of sum 1.
    """
    check_fractions(fractions)
    number = {group: _number(seed, group) for group in sorted(set(groups))}
    if len(number) < len(SPLITS):
        raise ItmError(f"there are {len(number)} groups, and three splits need {len(SPLITS)}: add some")
    ends = (fractions[0], fractions[0] + fractions[1], 1.0)
    split_of = {group: SPLITS[sum(u >= end for end in ends[:2])] for group, u in number.items()}
    needed = {"train": 2 if len(number) > len(SPLITS) else 1, "val": 1, "test": 1}
    for split, start, end in zip(SPLITS, (0.0, *ends[:2]), ends, strict=True):
        while (sizes := Counter(split_of.values()))[split] < needed[split]:
            spare = [group for group, other in split_of.items() if sizes[other] > needed[other]]
            far = {group: max(start - number[group], number[group] - end) for group in spare}
            split_of[min(far, key=far.__getitem__)] = split
    return split_of


def complete(
    given: Mapping[str, str | None],
    group_of: Mapping[str, str],
    what: str,
    seed: int = 0,
    fractions: Sequence[float] = FRACTIONS,
) -> tuple[dict[str, str], str]:
    """The split of each picture: the given ones, and the rule of ``assign`` for what they lack.

    Without a split, or with "train" alone, all pictures are assigned. With "train" but no "val", a part of train
    becomes val. Other splits that are missing stay so.

    Args:
        given: picture -> its split, or None; for all pictures or for none.
        group_of: picture -> the name that decides.
        what: the groups, for the messages: "photographs", "identities".
        seed: as for ``assign``.
        fractions: as for ``assign``.

    Returns:
        Picture -> split, and a note that says what was assigned by the rule; empty if nothing was.

    Raises:
        ItmError: as for ``assign``.
    """
    check_fractions(fractions)
    there = set(given.values()) - {None}
    by = "file name" if what == "photographs" else what
    if not there - {"train"}:
        groups = {group_of[picture] for picture in given}
        least = len(SPLITS) + (what == "photographs")  # two photographs at least to train on
        if len(groups) < least:
            raise ItmError(
                f"there are {len(groups)} {what} with captions, and three splits need {least}: add some, or say in a "
                "column named split where each belongs"
            )
        split_of = assign(groups, seed, fractions)
        shares = ", ".join(f"{100 * fraction:g} %" for fraction in fractions)
        note = f"split by {by} with seed {seed} into train, val and test ({shares})"
        return {picture: split_of[group_of[picture]] for picture in given}, note
    found = {picture: str(split) for picture, split in given.items()}
    if "train" not in there or "val" in there:
        return found, ""
    number = {group_of[picture]: _number(seed, group_of[picture]) for picture in found if found[picture] == "train"}
    share = fractions[1] / (fractions[0] + fractions[1])
    chosen = {group for group, u in number.items() if u >= 1 - share} or {max(number, key=number.__getitem__)}
    if len(number) < 2 or chosen == set(number):
        raise ItmError(f"no split is named val, and train has too few {what} to give some: name both splits")
    for picture, split in found.items():
        if split == "train" and group_of[picture] in chosen:
            found[picture] = "val"
    return found, f"no val was given: {100 * share:.0f} % of train, by {by} with seed {seed}"


def check_fractions(fractions: Sequence[float]) -> None:
    """Refuses fractions that are not three positive numbers of sum 1."""
    numbers = isinstance(fractions, Sequence) and all(isinstance(f, (int, float)) for f in fractions)
    if not numbers or len(fractions) != len(SPLITS) or min(fractions) <= 0 or not math.isclose(sum(fractions), 1):
        raise ItmError(f"fractions is {fractions!r}: give three numbers above 0 with the sum 1, such as {FRACTIONS}")


def split_named(name: str) -> str | None:
    """The split that a folder or file is named after, such as "val" for "validation" or "captions-dev"; else None."""
    words = "".join(letter if letter.isalpha() else " " for letter in name.casefold()).split()
    found = {KEYWORDS[word] for word in words if word in KEYWORDS}
    return found.pop() if len(found) == 1 else None


def grouped(split_of: Mapping[str, str]) -> dict[str, list[str]]:
    """Split -> its pictures in the order of their names; train, val and test in this order, without empty ones."""
    pictures = defaultdict(list)
    for picture in sorted(split_of):
        pictures[split_of[picture]].append(picture)
    return {split: pictures[split] for split in SPLITS if split in pictures}


def check_seed(seed: object) -> int:
    """Refuses a seed that is not a whole number."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ItmError(f"seed is {seed!r}: give a whole number, such as 0")
    return seed


def _number(seed: int, group: str) -> float:
    """A number in [0, 1) that the seed and the name determine."""
    digest = hashlib.sha256(f"{seed}\n{group}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6]) / 2**48  # 6 bytes: a quotient of 8 could be rounded to 1

"""The corpus that the options of a command name: by its name, or your own folder with ``--from`` and ``--column``."""

from __future__ import annotations

from pathlib import Path

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.names import OWN
from itm_tutorial.errors import ItmError


def corpus_named(
    name: str,
    size: str = "mini",
    seed: int | None = None,
    source: Path | None = None,
    column: list[str] | None = None,
    split_seed: int | None = None,
) -> Corpus:
    """Loads the corpus of a command.

    Args:
        name: a corpus that ``itm list`` names.
        size: of a drawn world.
        seed: of a drawn world. It does not change the splits of your own photographs, so that a second training run
            with another seed is measured on the same test split.
        source: the folder of a corpus of your own; without it the one that was used last.
        column: as for ``columns_named``.
        split_seed: of the splits of a corpus of your own that has none; None takes what was used before, or 0.

    Raises:
        ItmError: a folder or columns for a corpus that takes none, or the corpus cannot be loaded.
    """
    import itm_tutorial as itm

    if name not in OWN:
        for what, given in (("--from", source), ("--column", column)):
            if given:
                raise ItmError(f"{what} is for {', '.join(OWN)}, not for {name!r}: leave it out")
        return itm.load_corpus(name, size=size, seed=seed)
    folder = {} if source is None else {"folder": source}
    return itm.load_corpus(name, seed=split_seed, **folder, **columns_named(column))


def columns_named(pairs: list[str] | None) -> dict[str, str | list[str]]:
    """Reads ``NAME=COLUMN`` pairs; a name that comes twice has several columns.

    Args:
        pairs: such as "caption=beschreibung".

    Raises:
        ItmError: a pair has no equals sign.
    """
    columns: dict[str, str | list[str]] = {}
    for pair in pairs or []:
        name, equals, column = pair.partition("=")
        if not (name and equals and column):
            raise ItmError(f"--column {pair}: write NAME=COLUMN, such as caption=description")
        if name in columns:
            before = columns[name]
            columns[name] = [*(before if isinstance(before, list) else [before]), column]
        else:
            columns[name] = column
    return columns


def usual_recipe(model: str, corpus: Corpus) -> str:
    """The recipe with which a command trains a new model where the user names none.

    Args:
        model: a name that ``itm list`` names.
        corpus: to train on.

    Returns:
        "flickr8k" for your own photographs, if the model has such a recipe and begins with it from nothing; else
        "drawn". What was tuned for photographs learns from few of them too, where "drawn" often stays at chance.
    """
    from itm_tutorial.models import model_class

    cls = model_class(model)
    return "flickr8k" if corpus.name in OWN and "flickr8k" in cls.recipes and not cls.starts else "drawn"

"""A trained skip-thought encoder with its vocabulary, and the expansion of this vocabulary by other word vectors.

Kiros, Zhu, Salakhutdinov, Zemel, Torralba, Urtasun and Fidler, "Skip-Thought Vectors", NIPS 2015,
https://arxiv.org/abs/1506.06726.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad
from typing_extensions import TypedDict

from itm_tutorial.data.options import Dimension
from itm_tutorial.data.text import SPECIAL, Tokens, Vocabulary
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.kept_weights import load_kept
from itm_tutorial.encoders.skip_thought import SkipThoughtEncoder
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import read_json, user_path, write_json, write_tensors


class _About(TypedDict):
    """What ``encoder.json`` has."""

    n_words: Dimension
    word_dim: Dimension
    dim: Dimension


@dataclass(frozen=True)
class SkipThought:
    """A trained sentence encoder with its vocabulary.

    Attributes:
        module: the encoder, frozen, on the CPU.
        vocabulary: its words; row i of the encoder's table is the vector of word i.
        known: the words that it learned itself; those after them in the vocabulary were added by ``expanded``.
    """

    module: SkipThoughtEncoder
    vocabulary: Vocabulary
    known: int

    @property
    def word_dim(self) -> int:
        """Numbers per word."""
        return self.module.words.embedding_dim

    @property
    def dim(self) -> int:
        """Numbers per sentence vector."""
        return self.module.gru.hidden_size

    @torch.no_grad()
    def encode(self, sentences: list[str]) -> Tensor:
        """Sentences -> their vectors, float32 [n_sentences, dim], of any length."""
        tokens = end_only(self.vocabulary.encode(sentences))
        return self.module(tokens.ids, tokens.lengths)

    def expanded(self, words: WordVectors) -> SkipThought:
        """The same encoder with a larger vocabulary: other word vectors are mapped into its word table.

        Args:
            words: such as those of the lore; words of ``SPECIAL`` and words that the encoder has already are left out.

        Returns:
            A new encoder; the vectors of its own words stay as they are.

        Raises:
            ItmError: too few words are shared for the least squares.
        """
        table = self.module.words.weight.detach()  # [n_words, word_dim]
        shared = [word for word in self.vocabulary.words[: self.known] if word in words and word not in SPECIAL]
        new = [word for word in words.words if word not in self.vocabulary and word not in SPECIAL]
        sources = words.vectors[[words.index[word] for word in shared]]  # [n_shared, dim of the word vectors]
        matrix, intercept = expansion_map(sources, table[[self.vocabulary.index[word] for word in shared]])
        added = words.vectors[[words.index[word] for word in new]] @ matrix + intercept  # [n_new, word_dim]
        vocabulary = Vocabulary([*self.vocabulary.words[len(SPECIAL) :], *new])
        return SkipThought(_with_table(self.module, torch.cat([table, added])), vocabulary, self.known)

    def save(self, folder: str | Path) -> None:
        """Writes ``weights.safetensors``, ``vocabulary.json`` and ``encoder.json``; makes the folder if it is missing.

        Raises:
            ItmError: the encoder was expanded: the words that were added can be added again.
        """
        if self.known != len(self.vocabulary):
            raise ItmError("save: this encoder was expanded; save it as it was trained, and expand it after loading")
        folder = user_path(folder, "folder")
        folder.mkdir(parents=True, exist_ok=True)
        write_tensors(folder / "weights.safetensors", self.module.state_dict())
        self.vocabulary.save(folder / "vocabulary.json")
        write_json(folder / "encoder.json", {"n_words": self.known, "word_dim": self.word_dim, "dim": self.dim})

    @classmethod
    def load(cls, folder: str | Path) -> SkipThought:
        """Reads what ``save`` wrote.

        Raises:
            ItmError: a file is missing, damaged, or does not fit the others.
        """
        folder = user_path(folder, "folder")
        about = read_json(folder / "encoder.json", _About, f"delete {folder} and make it again")
        vocabulary = Vocabulary.load(folder / "vocabulary.json")
        if len(vocabulary) != about["n_words"]:
            raise ItmError(
                f"{folder / 'vocabulary.json'} has {len(vocabulary)} words, but encoder.json says {about['n_words']}: "
                f"delete {folder} and make it again"
            )
        with torch.random.fork_rng(devices=[]):  # a network is first made with random weights
            module = SkipThoughtEncoder(about["n_words"], about["word_dim"], about["dim"])
        load_kept(module, folder / "weights.safetensors")
        return cls(module.requires_grad_(False).eval(), vocabulary, len(vocabulary))


def end_only(tokens: Tokens) -> Tokens:
    """Leaves out <start>, the first token of each caption: the encoder reads a sentence and the token that ends it."""
    return Tokens(tokens.ids[:, 1:], tokens.lengths - 1)


def expansion_map(sources: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The least squares, without a penalty and with an intercept, from one word space to another.

    Args:
        sources: float [n_words, source_dim].
        targets: float [n_words, target_dim], the vectors of the same words in the other space.

    Returns:
        The matrix, float32 [source_dim, target_dim], and the intercept, float32 [target_dim].

    Raises:
        ItmError: there are not more words than unknowns, so that any map of the shared words would be exact.

    Kiros et al. 2015, section 2.2.
    """
    n, unknowns = len(sources), sources.shape[1] + 1
    if n <= unknowns:
        raise ItmError(
            f"vocabulary expansion: {n} words are shared, for {unknowns} unknowns per dimension: give word vectors of "
            "more words or fewer dimensions, or leave the expansion out"
        )
    with_one = pad(sources.double(), (0, 1), value=1.0)  # [n_words, source_dim + 1]
    found = torch.linalg.lstsq(with_one, targets.double(), driver="gelsd").solution.float()  # [source_dim + 1, ...]
    return found[:-1], found[-1]


def _with_table(module: SkipThoughtEncoder, table: Tensor) -> SkipThoughtEncoder:
    """An encoder with another word table, float32 [n_words, word_dim]."""
    with torch.random.fork_rng(devices=[]):
        wider = SkipThoughtEncoder(*table.shape, module.gru.hidden_size)
    wider.load_state_dict({**module.state_dict(), "words.weight": table})
    return wider.requires_grad_(False).eval()

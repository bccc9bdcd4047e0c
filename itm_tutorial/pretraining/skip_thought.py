"""Skip-thoughts: a sentence encoder learned from stories, by predicting the sentences before and after each one.

Kiros, Zhu, Salakhutdinov, Zemel, Torralba, Urtasun and Fidler, "Skip-Thought Vectors", NIPS 2015,
https://arxiv.org/abs/1506.06726.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import cross_entropy, pad
from typing_extensions import TypedDict

import itm_tutorial.encoders.skip_thought as skip_thought_encoder
from itm_tutorial.data.loading import source_hash
from itm_tutorial.data.text import END, SPECIAL, UNKNOWN, Tokens, Vocabulary, padded
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.kept_weights import load_kept
from itm_tutorial.encoders.skip_thought import SkipThoughtEncoder, start_skip_thought
from itm_tutorial.encoders.text import word_mask
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.storage import cache_dir, prepare_folder, read_json, user_path, write_json, write_tensors
from itm_tutorial.worlds import scenes, stories, streams

DIM, WORD_DIM = 192, 64
N_WORDS = 270  # the rarest words of the stories become <unk>, so that <unk> is learned too
STEPS, BATCH, LEARNING_RATE, CLIP = 700, 64, 2e-3, 10.0
TEXTS = {"stories": False, "shuffled": True}  # name -> whether the sentences are dealt out at random
HELD_OUT_STORIES = 300
ELSEWHERE = 7_000_000  # added to a seed for the stories to evaluate on
NATS = 1e-8  # what a word that the unigram baseline never saw gets as probability

Stories = list[list[list[str]]]  # per story its sentences, each a list of words


class _About(TypedDict):
    """What ``encoder.json`` has."""

    n_words: int
    word_dim: int
    dim: int


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
        write_json(
            folder / "encoder.json", {"n_words": self.known, "word_dim": self.word_dim, "dim": self.dim}
        )

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


class SkipThoughtNetwork(nn.Module):
    """The encoder in training, and two decoders: of the next sentence and of the previous one.

    Encoder and decoders share one word table, and the decoders one output matrix. The sentence vector is the first
    state of each decoder, as in the released trainer; the paper feeds it into the gates at every step.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per sentence vector.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.encoder = SkipThoughtEncoder(n_words, word_dim, dim)
        self.next_decoder = nn.GRU(word_dim, dim, batch_first=True)
        self.previous_decoder = nn.GRU(word_dim, dim, batch_first=True)
        self.output = nn.Linear(dim, n_words)
        for module in (self.next_decoder, self.previous_decoder, self.output):
            start_skip_thought(module)

    def forward(self, sentence: Tokens, following: Tokens, previous: Tokens) -> Tensor:
        """The loss: -sum log P(next word) - sum log P(previous word), summed over words and sentences.

        Args:
            sentence: n sentences, as ids int64 [n, seq_len] and lengths, each with the token that ends it.
            following: the sentences after them.
            previous: the sentences before them.

        Returns:
            A scalar, in nats.
        """
        state = self.encoder(sentence.ids, sentence.lengths)[None]  # [1, n, dim]
        sides = ((self.next_decoder, following), (self.previous_decoder, previous))
        return sum(self._cost(decoder, target, state) for decoder, target in sides)

    def _cost(self, decoder: nn.GRU, target: Tokens, state: Tensor) -> Tensor:
        read = shifted(self.encoder.words(target.ids))  # [n, seq_len, word_dim]
        states, _ = decoder(read, state)  # [n, seq_len, dim]
        mask = word_mask(target.ids, target.lengths)  # [n, seq_len]
        return cross_entropy(self.output(states[mask]), target.ids[mask], reduction="sum")


def shifted(words: Tensor) -> Tensor:
    """What a decoder reads while it predicts words: the word before each, and zeros before the first.

    Args:
        words: [n, seq_len, word_dim].

    Returns:
        [n, seq_len, word_dim]; the last word is read nowhere.
    """
    return pad(words[:, :-1], (0, 0, 1, 0))


def number_sentences(texts: Stories, vocabulary: Vocabulary) -> tuple[Tokens, LongTensor]:
    """Stories as word ids, and which sentences have both neighbours.

    Args:
        texts: per story its sentences, each a list of words.
        vocabulary: of the encoder.

    Returns:
        All sentences in their order, each ended by <end>; int64 [n_triples], the numbers of the sentences that have
        one before and one after them in their story.
    """
    end, unseen = vocabulary.index[END], vocabulary.index[UNKNOWN]
    rows = [[*(vocabulary.index.get(word, unseen) for word in words), end] for story in texts for words in story]
    middles, first = [], 0
    for story in texts:
        middles += range(first + 1, first + len(story) - 1)
        first += len(story)
    return padded(rows), torch.tensor(middles, dtype=torch.int64)


@torch.inference_mode(False)  # it may be called first from code that runs without gradients
@torch.enable_grad()
def train_skip_thought(
    texts: Stories,
    held_out: Stories | None = None,
    word_dim: int = WORD_DIM,
    dim: int = DIM,
    steps: int = STEPS,
    n_words: int = N_WORDS,
    learning_rate: float = LEARNING_RATE,
    seed: int = 0,
) -> tuple[SkipThought, dict[str, float]]:
    """Trains a sentence encoder on a text whose sentences stand in their order.

    Args:
        texts: per story its sentences, each a list of lower-case words; stories of fewer than three are not used.
        held_out: stories to evaluate on.
        word_dim: numbers per word.
        dim: numbers per sentence vector.
        steps: batches of ``BATCH`` sentences.
        n_words: the most frequent words are learned, the others are read as <unk> (20,000 in the paper).
        learning_rate: of Adam at the start; it falls linearly to 0 (constant in the released trainer).
        seed: of weights and order; the caller's random state is not changed.

    Returns:
        The encoder, frozen, and its metrics: "nats", the loss per word of the held-out stories, and "unigram", that of
        predicting each word by its frequency alone; none without ``held_out``.

    Raises:
        ItmError: no story has three sentences, or a sentence is no list of words.
    """
    for story in texts:
        if any(isinstance(sentence, str) or not sentence for sentence in story):
            raise ItmError("texts: a sentence is a string or empty; give each sentence as a list of one word or more")
    counts = Counter(word for story in texts for sentence in story for word in sentence)
    vocabulary = Vocabulary(sorted(counts, key=lambda word: (-counts[word], word))[:n_words])
    sentences, middles = number_sentences(texts, vocabulary)
    if not len(middles):
        raise ItmError("texts: no story has three sentences or more, so none has two neighbours; give longer stories")
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        network = SkipThoughtNetwork(len(vocabulary), word_dim, dim)
        optimizer = torch.optim.Adam(network.parameters(), learning_rate)
        for step, some in enumerate(_batches(sentences.lengths, middles, steps)):
            optimizer.param_groups[0]["lr"] = learning_rate * (1 - step / steps)
            loss = network(sentences[some], sentences[some + 1], sentences[some - 1])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()
    metrics = {} if held_out is None else held_out_metrics(network, vocabulary, counts, held_out)
    return SkipThought(network.encoder.requires_grad_(False).eval(), vocabulary, len(vocabulary)), metrics


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limits torch to one thread: steps this small are hardly faster with two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _batches(lengths: LongTensor, middles: LongTensor, steps: int) -> Iterator[LongTensor]:
    """The numbers of the middle sentences of each step, in random order, with neighbours of similar length."""
    left = steps
    while left:
        batches = []
        for some in middles[torch.randperm(len(middles))].split(16 * BATCH):
            longest = torch.maximum(lengths[some - 1], lengths[some + 1])
            batches += some[longest.argsort()].split(BATCH)
        for number in torch.randperm(len(batches)).tolist()[:left]:
            yield batches[number]
        left -= min(left, len(batches))


@torch.no_grad()
def held_out_metrics(
    network: SkipThoughtNetwork, vocabulary: Vocabulary, counts: dict[str, int], held_out: Stories
) -> dict[str, float]:
    """The loss per word of the neighbours of held-out sentences, and that of word frequencies alone.

    Args:
        network: the trained network.
        vocabulary: of the network.
        counts: of the words of the training text, for the baseline.
        held_out: stories in their order.

    Returns:
        "nats" and "unigram", both per word with <end>.
    """
    sentences, middles = number_sentences(held_out, vocabulary)
    frequency = torch.zeros(len(vocabulary))
    for word, count in counts.items():
        frequency[vocabulary.index.get(word, vocabulary.index[UNKNOWN])] += count
    frequency[vocabulary.index[END]] = frequency.sum() * len(sentences) / (sentences.lengths - 1).sum()
    surprise = -(frequency / frequency.sum()).clamp(min=NATS).log()  # [n_words]
    total = baseline = n = 0.0
    for some in middles.split(256):
        following, previous = sentences[some + 1], sentences[some - 1]
        total += network(sentences[some], following, previous).item()
        for target in (following, previous):
            mask = word_mask(target.ids, target.lengths)
            baseline += surprise[target.ids[mask]].sum().item()
            n += int(mask.sum())
    return {"nats": round(total / n, 4), "unigram": round(baseline / n, 4)}


def skip_thought_folder(text: str = "stories", seed: int = 0) -> Path:
    """The cache folder of an encoder; its name changes with the source of stories, network or training."""
    key = source_hash(scenes, stories, streams, skip_thought_encoder, sys.modules[__name__])
    return cache_dir() / "skip_thought" / f"{text}-seed{seed}-{key}"


def load_skip_thought(text: str = "stories", seed: int = 0) -> SkipThought:
    """Loads a trained sentence encoder.

    Args:
        text: "stories", or "shuffled", the same sentences in random order (from the cache, or trained now, about a
            minute on one core); or a folder that ``SkipThought.save`` wrote.
        seed: of text and training, where it is not a folder.

    Returns:
        The encoder, frozen.

    Raises:
        ItmError: there is no such text or folder, or a file is damaged.
    """
    if text not in TEXTS:
        if not user_path(text, "text").is_dir():
            raise ItmError(f"{unknown('text', text, TEXTS)}; nor is it a folder of a saved encoder")
        return SkipThought.load(text)

    def build(part: Path) -> None:
        start = time.perf_counter()
        texts = stories.write_stories(seed=seed, shuffled=TEXTS[text])
        held_out = stories.write_stories(HELD_OUT_STORIES, seed=ELSEWHERE + seed)
        encoder, metrics = train_skip_thought(texts, held_out, seed=seed)
        encoder.save(part)
        seconds = round(time.perf_counter() - start, 1)
        write_json(part / "figures.json", {**metrics, "steps": STEPS, "seconds": seconds, "seed": seed})

    return SkipThought.load(prepare_folder(skip_thought_folder(text, seed), build))

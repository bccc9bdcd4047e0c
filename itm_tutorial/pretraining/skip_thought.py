"""Skip-thoughts: a sentence encoder learned from stories, by predicting the sentences before and after each one.

Kiros, Zhu, Salakhutdinov, Zemel, Torralba, Urtasun and Fidler, "Skip-Thought Vectors", NIPS 2015,
https://arxiv.org/abs/1506.06726.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import cross_entropy, pad

import itm_tutorial.encoders.skip_thought as encoder_module
from itm_tutorial.data.loading import source_hash
from itm_tutorial.data.text import END, UNKNOWN, Tokens, Vocabulary, padded, tokenize
from itm_tutorial.encoders.skip_thought import SkipThoughtEncoder, start_skip_thought
from itm_tutorial.encoders.text import word_mask
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.pretraining import skip_thought_encoder
from itm_tutorial.pretraining.skip_thought_encoder import SkipThought
from itm_tutorial.storage import cache_dir, prepare_folder, user_path, write_json
from itm_tutorial.worlds import scenes, stories, streams

DIM, WORD_DIM = 128, 64
N_WORDS = 256  # the rarest words of the stories become <unk>, so that <unk> is learned too
STEPS, BATCH, LEARNING_RATE, CLIP = 1_600, 32, 1e-2, 10.0
TEXTS = {"stories": False, "shuffled": True}  # name -> whether the sentences are dealt out at random
CAPTIONS = "captions"  # the text of an encoder that learns from a corpus's own training captions
MOST_EPOCHS = 20  # of a short text, which would be learned by heart otherwise
HELD_OUT_STORIES = 300
ELSEWHERE = 7_000_000  # added to a seed for the stories to evaluate on
NATS = 1e-8  # what a word that the unigram baseline never saw gets as probability

Stories = list[list[list[str]]]  # per story its sentences, each a list of words


class SkipThoughtNetwork(nn.Module):
    """The encoder in training, and two decoders: of the next sentence and of the previous one.

    Encoder and decoders share one word table, and the decoders one output matrix. As in the paper,
    the sentence vector enters both gates and the proposal of a decoder at every step. (In the released trainer it is
    only the first state of the decoders, which start from zero here.)

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per sentence vector.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.encoder = SkipThoughtEncoder(n_words, word_dim, dim)
        self.next_decoder = nn.GRU(word_dim + dim, dim, batch_first=True)
        self.previous_decoder = nn.GRU(word_dim + dim, dim, batch_first=True)
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
        vectors = self.encoder(sentence.ids, sentence.lengths)  # [n, dim]
        sides = ((self.next_decoder, following), (self.previous_decoder, previous))
        return sum(self._cost(decoder, target, vectors) for decoder, target in sides)

    def _cost(self, decoder: nn.GRU, target: Tokens, vectors: Tensor) -> Tensor:
        read = shifted(self.encoder.words(target.ids))  # [n, seq_len, word_dim]
        everywhere = vectors[:, None].expand(-1, read.shape[1], -1)  # [n, seq_len, dim]
        states, _ = decoder(torch.cat([read, everywhere], -1))  # [n, seq_len, dim]
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
        steps: batches of ``BATCH`` sentences; fewer for a short text, which is read ``MOST_EPOCHS`` times at most.
        n_words: the most frequent words are learned, the others are read as <unk> (20,000 in the paper).
        learning_rate: of Adam at the start; it falls linearly to 0 (constant in the released trainer).
        seed: of weights and order; the caller's random state is not changed.

    Returns:
        The encoder, frozen, and its metrics, from ``held_out_metrics``; none without ``held_out``.

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
    steps = min(steps, MOST_EPOCHS * -(-len(middles) // BATCH))
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
        "nats", per word with <end>; "another_sentence", the same where the decoders get the vector of a sentence of
        another story; "unigram", the baseline.
    """
    sentences, middles = number_sentences(held_out, vocabulary)
    frequency = torch.zeros(len(vocabulary))
    for word, count in counts.items():
        frequency[vocabulary.index.get(word, vocabulary.index[UNKNOWN])] += count
    frequency[vocabulary.index[END]] = frequency.sum() * len(sentences) / (sentences.lengths - 1).sum()
    surprise = -(frequency / frequency.sum()).clamp(min=NATS).log()  # [n_words]
    total = strangers = baseline = n = 0.0
    for some in middles.split(256):
        following, previous = sentences[some + 1], sentences[some - 1]
        total += network(sentences[some], following, previous).item()
        strangers += network(sentences[some.roll(len(some) // 2)], following, previous).item()  # of another story
        for target in (following, previous):
            mask = word_mask(target.ids, target.lengths)
            baseline += surprise[target.ids[mask]].sum().item()
            n += int(mask.sum())
    found = {"nats": total / n, "another_sentence": strangers / n, "unigram": baseline / n}
    return {name: round(value, 4) for name, value in found.items()}


def caption_stories(captions: list[str], image_of: LongTensor) -> Stories:
    """The captions of each image as a story, for photographs: they are about one scene, as neighbours in a story are.

    Each caption gets the one before and the one after it as neighbours, in a circle: the first follows the last.

    Args:
        captions: n_captions training captions.
        image_of: int64 [n_captions].

    Returns:
        Per image with two captions or more, these as lists of words; the last one also at the beginning, and the first
        one also at the end.
    """
    of_image: dict[int, list[list[str]]] = {}
    for caption, image in zip(captions, image_of.tolist(), strict=True):
        of_image.setdefault(image, []).append(tokenize(caption))
    return [[some[-1], *some, some[0]] for some in of_image.values() if len(some) > 1]


def skip_thought_folder(text: str = "stories", seed: int = 0) -> Path:
    """The cache folder of an encoder; its name changes with the source of stories, network or training."""
    key = source_hash(scenes, stories, streams, encoder_module, skip_thought_encoder, sys.modules[__name__])
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
    if text in TEXTS:
        return _kept(text, seed, partial(stories.write_stories, seed=seed, shuffled=TEXTS[text]))
    if not user_path(text, "encoder").is_dir():
        raise ItmError(f"{unknown('text of an encoder', text, [*TEXTS, CAPTIONS])}; nor is it a folder that has one")
    return SkipThought.load(text)


def load_caption_encoder(captions: list[str], image_of: LongTensor, seed: int = 0) -> SkipThought:
    """A sentence encoder that learned from the captions of a data set: from the cache, or trained now.

    Args:
        captions: n_captions training captions.
        image_of: int64 [n_captions].
        seed: of the training.

    Returns:
        The encoder, frozen.

    Raises:
        ItmError: no image has two captions.
    """
    texts = caption_stories(captions, image_of)
    if not texts:
        raise ItmError("a skip-thought encoder learns from neighbours, and no image has two captions: "
                       "give encoder=FOLDER with one that was trained on another text")  # fmt: skip
    digest = hashlib.sha256(repr(texts).encode()).hexdigest()[:12]
    return _kept(f"{CAPTIONS}-{digest}", seed, lambda: texts)


def _kept(name: str, seed: int, write: Callable[[], Stories]) -> SkipThought:
    """An encoder from the cache, trained first where it is not there."""

    def build(part: Path) -> None:
        start = time.perf_counter()
        held_out = stories.write_stories(HELD_OUT_STORIES, seed=ELSEWHERE + seed) if name in TEXTS else None
        encoder, metrics = train_skip_thought(write(), held_out, seed=seed)
        encoder.save(part)
        seconds = round(time.perf_counter() - start, 1)
        write_json(part / "figures.json", {**metrics, "seconds": seconds, "seed": seed})

    return SkipThought.load(prepare_folder(skip_thought_folder(name, seed), build))

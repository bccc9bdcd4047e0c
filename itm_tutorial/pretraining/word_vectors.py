"""Word vectors learned from text: skip-gram with negative sampling."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import logsigmoid, pad

from itm_tutorial.data.loading import source_hash
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import cache_dir, prepare_folder, write_json
from itm_tutorial.worlds import objects, scenes, streams

NOTHING = -1  # padding in a matrix of word ids
CHUNK = 2048  # sentences turned into pairs at a time, so that memory does not grow with the text
LONGEST = 200  # words per row: longer sentences are split, so that one of them does not widen the whole matrix


@dataclass(frozen=True)
class SkipGramResult:
    """The result of a training run.

    Attributes:
        vectors: the words and their vectors, most frequent word first.
        losses: the mean loss of each step.
        snapshots: fraction of the run -> the vectors at that time.
    """

    vectors: WordVectors
    losses: list[float]
    snapshots: dict[float, WordVectors]


def skip_gram_loss(centre: Tensor, context: Tensor, noise: Tensor) -> Tensor:
    """Negative sampling: a word's vector must distinguish its real neighbours from words drawn at random.

    Args:
        centre: float [n_pairs, dim], the input vectors of the centre words.
        context: float [n_pairs, dim], the output vectors of their neighbours.
        noise: float [n_pairs, n_negatives, dim], the output vectors of the negatives.

    Returns:
        Scalar, the mean over pairs.

    Mikolov et al. 2013, "Distributed Representations of Words and Phrases", equation 4, negated.
    """
    neighbour = (context * centre).sum(-1)  # [n_pairs]
    drawn = torch.einsum("pnd,pd->pn", noise, centre)  # [n_pairs, n_negatives]
    return -(logsigmoid(neighbour) + logsigmoid(-drawn).sum(-1)).mean()


def noise_distribution(counts: Tensor) -> Tensor:
    """The probability of each word to be drawn as a negative: its count to the power 3/4, normalised.

    Args:
        counts: int64 [n_words].

    Returns:
        float32 [n_words], with sum 1.

    Mikolov et al. 2013, section 2.2.
    """
    raised = counts.float() ** 0.75
    return raised / raised.sum()


def draw_negatives(noise: Tensor, n_pairs: int, negatives: int) -> LongTensor:
    """Draws negatives from the noise distribution: float [n_words] -> int64 [n_pairs, negatives]."""
    return noise.multinomial(n_pairs * negatives, replacement=True).view(n_pairs, negatives)


def keep_probability(counts: Tensor, subsample: float) -> Tensor:
    """The probability to keep an occurrence of each word: frequent words are subsampled.

    Args:
        counts: int64 [n_words].
        subsample: t of the paper, the fraction of the text above which a word is subsampled; 0 keeps all.

    Returns:
        float32 [n_words], min(1, sqrt(t / f)).

    Mikolov et al. 2013, equation 5.
    """
    if not subsample:
        return torch.ones(len(counts))
    return (subsample * counts.sum() / counts).sqrt().clamp(max=1)


def thin_out(ids: LongTensor, keep: Tensor) -> LongTensor:
    """Drops occurrences at random; the rest move together, so that a window reaches further.

    Args:
        ids: int64 [n_sentences, seq_len]; padding is -1.
        keep: float [n_words].

    Returns:
        int64 [n_sentences, seq_len].
    """
    stays = (ids != NOTHING) & (torch.rand(ids.shape) < keep[ids.clamp(min=0)])
    order = (~stays).int().argsort(dim=1, stable=True)  # kept words first, in their order
    return ids.masked_fill(~stays, NOTHING).gather(1, order)


def window_pairs(ids: LongTensor, windows: LongTensor) -> tuple[LongTensor, LongTensor]:
    """Pairs every word with each of its neighbours.

    Args:
        ids: int64 [n_sentences, seq_len]; padding is -1.
        windows: int64 [n_sentences, seq_len], the half-width of each word's window.

    Returns:
        int64 [n_pairs] twice: the centre words and their neighbours.
    """
    reach = int(windows.max()) if windows.numel() else 0
    offsets = torch.arange(-reach, reach + 1)
    around = pad(ids, (reach, reach), value=NOTHING).unfold(1, 2 * reach + 1, 1)  # [n_sentences, seq_len, 2 reach + 1]
    middle = ids[:, :, None].expand_as(around)
    paired = (offsets.abs() <= windows[:, :, None]) & (offsets != 0) & (middle != NOTHING) & (around != NOTHING)
    return middle[paired], around[paired]


@torch.inference_mode(False)  # it may be called first from code that runs without gradients
@torch.enable_grad()
def train_skip_gram(
    sentences: list[list[str]],
    dim: int = 50,
    window: int = 5,
    negatives: int = 5,
    epochs: int = 3,
    subsample: float = 1e-3,
    min_count: int = 5,
    learning_rate: float = 0.02,
    batch_size: int = 4096,
    seed: int = 0,
    snapshots: Sequence[float] = (0.0, 0.05, 1.0),
) -> SkipGramResult:
    """Trains word vectors by skip-gram with negative sampling.

    The defaults of ``window``, ``negatives``, ``subsample`` and ``min_count`` are those of the word2vec program. Those
    of ``epochs`` and ``learning_rate`` were chosen on the drawn world's text: a third epoch still lowers the loss, a
    fifth hardly does (1.82, 1.63, 1.62); with a rate of 0.005 kinds of one family are too similar (mean cosine 0.92
    instead of 0.76), and with 0.05 the nearest word to one kind is no longer of its family.

    Args:
        sentences: each a list of words.
        dim: numbers per word.
        window: the largest half-width; each word's half-width is drawn from 1 to ``window``, anew in each epoch.
        negatives: negatives per real neighbour.
        epochs: passes over the text.
        subsample: fraction of the text above which a word is subsampled; 0 keeps all.
        min_count: rarer words are removed from the text.
        learning_rate: of Adam at the start; it falls linearly to 0. The word2vec program itself makes plain gradient
            steps, one pair at a time; we use thousands of pairs per step.
        batch_size: pairs per step.
        seed: of initial vectors, order, windows, subsampling and negatives; the caller's random state is not changed.
        snapshots: fractions of the run, 0 to 1, at which the vectors are kept.

    Returns:
        The vectors, the loss of every step, the snapshots.

    Raises:
        ItmError: a number is out of range, a sentence is not a list of words, or too few words are frequent enough.

    Mikolov et al. 2013, "Distributed Representations of Words and Phrases". DeViSE took its vectors from the same
    skip-gram, with a hierarchical softmax instead of negative sampling.
    """
    _check(dim=dim, window=window, negatives=negatives, epochs=epochs, min_count=min_count, batch_size=batch_size)
    if not subsample >= 0 or not learning_rate > 0 or not all(0 <= fraction <= 1 for fraction in snapshots):
        raise ItmError(
            f"subsample is {subsample}, learning_rate {learning_rate}, snapshots {tuple(snapshots)}; "
            "give 0 or more, more than 0, and fractions of the run from 0 to 1"
        )
    words, counts, ids = number_words(sentences, min_count)
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        inputs, outputs = nn.Embedding(len(words), dim), nn.Embedding(len(words), dim)
        nn.init.uniform_(inputs.weight, -0.5 / dim, 0.5 / dim)  # with outputs of zero, every pair starts at chance
        nn.init.zeros_(outputs.weight)
        optimizer = torch.optim.Adam([inputs.weight, outputs.weight], learning_rate)
        noise, keep = noise_distribution(counts), keep_probability(counts, subsample)
        losses, kept, waiting = [], {}, sorted(set(snapshots))
        for done, centre, context in _batches(ids, keep, window, epochs, batch_size):
            while waiting and waiting[0] <= done:
                kept[waiting.pop(0)] = WordVectors(words, inputs.weight.detach().clone())
            drawn = draw_negatives(noise, len(centre), negatives)
            loss = skip_gram_loss(inputs(centre), outputs(context), outputs(drawn))
            optimizer.zero_grad()
            loss.backward()
            optimizer.param_groups[0]["lr"] = learning_rate * (1 - done)
            optimizer.step()
            losses.append(loss.item())
    if not losses:
        raise ItmError("sentences: no word has a neighbour; give sentences of two words or more, or a larger subsample")
    vectors = WordVectors(words, inputs.weight.detach())
    return SkipGramResult(vectors, losses, kept | dict.fromkeys(waiting, vectors))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limits torch to one thread: steps this small are slower with two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _check(**numbers: int) -> None:
    for name, value in numbers.items():
        if not isinstance(value, int) or value < 1:
            raise ItmError(f"{name} is {value!r}; give a whole number of 1 or more")


def number_words(sentences: list[list[str]], min_count: int) -> tuple[list[str], LongTensor, LongTensor]:
    """Counts the words and converts the text to word ids.

    Args:
        sentences: each a list of words.
        min_count: rarer words are left out.

    Returns:
        The words, most frequent first; int64 [n_words], their counts; int64 [n_sentences, seq_len], the ids, with
        -1 as padding; empty sentences are left out, and very long ones split.

    Raises:
        ItmError: a sentence is not a list of words, or too few words are frequent enough.
    """
    text = next((number for number, sentence in enumerate(sentences) if isinstance(sentence, str)), None)
    if text is not None:
        raise ItmError(f"sentences: number {text} is a string; split it into a list of words")
    count = Counter(word for sentence in sentences for word in sentence)
    words = sorted((word for word, n in count.items() if n >= min_count), key=lambda word: (-count[word], word))
    if len(words) < 2:
        raise ItmError(f"sentences: fewer than two words occur {min_count} times; give more text, or a lower min_count")
    number = {word: i for i, word in enumerate(words)}
    numbers = [[number[word] for word in sentence if word in number] for sentence in sentences]
    rows = [row[start : start + LONGEST] for row in numbers for start in range(0, len(row), LONGEST)]
    seq_len = max(map(len, rows))
    ids = torch.tensor([row + [NOTHING] * (seq_len - len(row)) for row in rows])
    return words, torch.tensor([count[word] for word in words]), ids


def _batches(
    ids: LongTensor, keep: Tensor, window: int, epochs: int, batch_size: int
) -> Iterator[tuple[float, LongTensor, LongTensor]]:
    """Batches of pairs in random order, each with the fraction of the run that is done."""
    chunks = [some for _ in range(epochs) for some in torch.randperm(len(ids)).split(CHUNK)]
    for n, some in enumerate(chunks):
        thinned = thin_out(ids[some], keep)
        centre, context = window_pairs(thinned, torch.randint(1, window + 1, thinned.shape))
        order = torch.randperm(len(centre))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            yield (n + start / len(order)) / len(chunks), centre[rows], context[rows]


def words_folder(seed: int = 0) -> Path:
    """The cache folder of the drawn world's word vectors; its name changes with the source of worlds or training."""
    key = source_hash(objects, scenes, streams, sys.modules[__name__])
    return cache_dir() / "words" / f"lore-seed{seed}-{key}"


def world_words(seed: int = 0) -> WordVectors:
    """Word vectors learned from the drawn world's text: from the cache, or trained now (a few seconds).

    Args:
        seed: of the text and of the training.

    Returns:
        The vectors, float32 [n_words, 50].

    Raises:
        ItmError: the cache cannot be written.
    """
    from itm_tutorial.worlds.objects.lore import write_lore

    def build(part: Path) -> None:
        start = time.perf_counter()
        result = train_skip_gram(write_lore(seed=seed), seed=seed)
        result.vectors.save(part)
        seconds = round(time.perf_counter() - start, 1)
        write_json(part / "figures.json", {"seed": seed, "seconds": seconds, "steps": len(result.losses)})

    return WordVectors.load(prepare_folder(words_folder(seed), build))

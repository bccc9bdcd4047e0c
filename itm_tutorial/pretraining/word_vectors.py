"""Learns word vectors from text alone: skip-gram with negative sampling."""

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

NOTHING = -1  # stands in an id matrix where a sentence has ended
CHUNK = 2048  # sentences made into pairs at a time, so that memory does not grow with the text
LONGEST = 200  # words of a row: a longer sentence is cut, so that one alone does not widen the whole matrix


@dataclass(frozen=True)
class SkipGramResult:
    """What a training run leaves.

    Attributes:
        vectors: the words and their vectors, most frequent word first.
        losses: the mean loss of each step.
        snapshots: fraction of the run -> the vectors as they then were.
    """

    vectors: WordVectors
    losses: list[float]
    snapshots: dict[float, WordVectors]


def skip_gram_loss(centre: Tensor, context: Tensor, noise: Tensor) -> Tensor:
    """Negative sampling: a word must tell its real neighbours from words drawn at random.

    Args:
        centre: float [n_pairs, dim], the input vectors of the words in the middle.
        context: float [n_pairs, dim], the output vectors of their neighbours.
        noise: float [n_pairs, n_negatives, dim], the output vectors of the words drawn.

    Returns:
        Scalar, the mean over pairs.

    Mikolov et al. 2013, "Distributed Representations of Words and Phrases", equation 4, with its sign turned.
    """
    neighbour = (context * centre).sum(-1)  # [n_pairs]
    drawn = torch.einsum("pnd,pd->pn", noise, centre)  # [n_pairs, n_negatives]
    return -(logsigmoid(neighbour) + logsigmoid(-drawn).sum(-1)).mean()


def noise_distribution(counts: Tensor) -> Tensor:
    """How likely each word is drawn as a negative: its count to the power 3/4, as a share.

    Args:
        counts: int64 [n_words].

    Returns:
        float32 [n_words], of sum 1.

    Mikolov et al. 2013, section 2.2.
    """
    raised = counts.float() ** 0.75
    return raised / raised.sum()


def draw_negatives(noise: Tensor, n_pairs: int, negatives: int) -> LongTensor:
    """Draws words by their noise distribution: float [n_words] -> int64 [n_pairs, negatives]."""
    return noise.multinomial(n_pairs * negatives, replacement=True).view(n_pairs, negatives)


def keep_probability(counts: Tensor, subsample: float) -> Tensor:
    """How likely an occurrence of each word is kept: frequent words are thinned out.

    Args:
        counts: int64 [n_words].
        subsample: t of the paper, the fraction of the text above which a word is thinned out; 0 keeps all.

    Returns:
        float32 [n_words], min(1, sqrt(t / f)).

    Mikolov et al. 2013, equation 5.
    """
    if not subsample:
        return torch.ones(len(counts))
    return (subsample * counts.sum() / counts).sqrt().clamp(max=1)


def thin_out(ids: LongTensor, keep: Tensor) -> LongTensor:
    """Drops occurrences by chance; those that stay close ranks, so that a window then reaches further.

    Args:
        ids: int64 [n_sentences, seq_len], -1 where a sentence has ended.
        keep: float [n_words].

    Returns:
        int64 [n_sentences, seq_len].
    """
    stays = (ids != NOTHING) & (torch.rand(ids.shape) < keep[ids.clamp(min=0)])
    order = (~stays).int().argsort(dim=1, stable=True)  # what stays first, in its old order
    return ids.masked_fill(~stays, NOTHING).gather(1, order)


def window_pairs(ids: LongTensor, windows: LongTensor) -> tuple[LongTensor, LongTensor]:
    """Every word with each of its neighbours.

    Args:
        ids: int64 [n_sentences, seq_len], -1 where a sentence has ended.
        windows: int64 [n_sentences, seq_len], how far each word looks to either side.

    Returns:
        int64 [n_pairs] twice: the words in the middle, their neighbours.
    """
    reach = int(windows.max()) if windows.numel() else 0
    offsets = torch.arange(-reach, reach + 1)
    around = pad(ids, (reach, reach), value=NOTHING).unfold(1, 2 * reach + 1, 1)  # [n_sentences, seq_len, 2 reach + 1]
    middle = ids[:, :, None].expand_as(around)
    paired = (offsets.abs() <= windows[:, :, None]) & (offsets != 0) & (middle != NOTHING) & (around != NOTHING)
    return middle[paired], around[paired]


@torch.inference_mode(False)  # the vectors may first be asked for where no gradient is wanted
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
    of ``epochs`` and ``learning_rate`` were measured on the drawn world's text: a third pass still lowers the loss, a
    fifth hardly (1.82, 1.63, 1.62); a rate of 0.005 leaves kinds of one family too much
    alike (mean cosine 0.92 in place of 0.76), and at 0.05 one kind loses its nearest relative.

    Args:
        sentences: each a list of words.
        dim: numbers per word.
        window: each word looks 1 to ``window`` words to either side, drawn anew every time.
        negatives: words drawn against each real neighbour.
        epochs: passes over the text.
        subsample: fraction of the text above which a word is thinned out; 0 keeps all.
        min_count: rarer words are left out, as if they had not been written.
        learning_rate: of Adam at the start, falling linearly to nothing; word2vec itself takes plain gradient
            steps, one pair at a time, where we take thousands of pairs at once.
        batch_size: pairs a step.
        seed: of starting vectors, order, windows, thinning and negatives; the caller's random state stays as it was.
        snapshots: fractions of the run, 0 to 1, at which the vectors are kept.

    Returns:
        The vectors, the loss of every step, the snapshots.

    Raises:
        ItmError: a number out of range, sentences that are no lists of words, no word that is frequent enough.

    Mikolov et al. 2013, "Distributed Representations of Words and Phrases". DeViSE took its vectors from the same
    skip-gram with a hierarchical softmax in place of negative sampling.
    """
    _check(dim=dim, window=window, negatives=negatives, epochs=epochs, min_count=min_count, batch_size=batch_size)
    if not subsample >= 0 or not learning_rate > 0 or not all(0 <= share <= 1 for share in snapshots):
        raise ItmError(
            f"subsample is {subsample}, learning_rate {learning_rate}, snapshots {tuple(snapshots)}; "
            "give 0 or more, more than 0, and fractions of the run from 0 to 1"
        )
    words, counts, ids = number_words(sentences, min_count)
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        inputs, outputs = nn.Embedding(len(words), dim), nn.Embedding(len(words), dim)
        nn.init.uniform_(inputs.weight, -0.5 / dim, 0.5 / dim)  # with outputs of zero, every pair begins at chance
        nn.init.zeros_(outputs.weight)
        optimizer = torch.optim.Adam([inputs.weight, outputs.weight], learning_rate)
        noise, keep = noise_distribution(counts), keep_probability(counts, subsample)
        losses, kept, waiting = [], {}, sorted(set(snapshots))
        for share, centre, context in _batches(ids, keep, window, epochs, batch_size):
            while waiting and waiting[0] <= share:
                kept[waiting.pop(0)] = WordVectors(words, inputs.weight.detach().clone())
            drawn = draw_negatives(noise, len(centre), negatives)
            loss = skip_gram_loss(inputs(centre), outputs(context), outputs(drawn))
            optimizer.zero_grad()
            loss.backward()
            optimizer.param_groups[0]["lr"] = learning_rate * (1 - share)
            optimizer.step()
            losses.append(loss.item())
    if not losses:
        raise ItmError("sentences: no word has a neighbour; give sentences of two words or more, or thin out less")
    vectors = WordVectors(words, inputs.weight.detach())
    return SkipGramResult(vectors, losses, kept | dict.fromkeys(waiting, vectors))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Holds torch to one core: steps this small lose more by waiting for a second than they gain by its work."""
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
    """Counts the words and writes the text as numbers.

    Args:
        sentences: each a list of words.
        min_count: rarer words are left out.

    Returns:
        The words, most frequent first; int64 [n_words], their counts; int64 [n_sentences, seq_len], -1 where a
        sentence has ended; empty sentences are left out, and very long ones cut.

    Raises:
        ItmError: sentences that are no lists of words, no word that is frequent enough.
    """
    text = next((number for number, sentence in enumerate(sentences) if isinstance(sentence, str)), None)
    if text is not None:
        raise ItmError(f"sentences: number {text} is a text; split it into a list of words")
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
    """Pairs in random order, with the fraction of the run that lies behind them."""
    chunks = [some for _ in range(epochs) for some in torch.randperm(len(ids)).split(CHUNK)]
    for n, some in enumerate(chunks):
        thinned = thin_out(ids[some], keep)
        centre, context = window_pairs(thinned, torch.randint(1, window + 1, thinned.shape))
        order = torch.randperm(len(centre))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            yield (n + start / len(order)) / len(chunks), centre[rows], context[rows]


def words_folder(seed: int = 0) -> Path:
    """Where the world's word vectors are kept; a change in the worlds' source, or here, trains them anew."""
    key = source_hash(objects, scenes, streams, sys.modules[__name__])
    return cache_dir() / "words" / f"lore-seed{seed}-{key}"


def world_words(seed: int = 0) -> WordVectors:
    """Word vectors of the drawn world, learned from its text alone: from the cache, or trained now (some seconds).

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

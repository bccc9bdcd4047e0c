"""A small BERT, taught the drawn worlds' language by masked words; and ``load_bert``, which knows the others too."""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import cross_entropy, gelu

import itm_tutorial.encoders.bert as bert_encoder
from itm_tutorial.data.loading import source_hash
from itm_tutorial.data.text import SPECIAL, Tokens, Vocabulary
from itm_tutorial.encoders.bert import BertWords, make_bert
from itm_tutorial.encoders.text import word_mask
from itm_tutorial.errors import ItmError
from itm_tutorial.pretraining.published_bert import load_published
from itm_tutorial.storage import cache_dir, prepare_folder, read_json, read_tensors, write_json, write_tensors
from itm_tutorial.worlds import birds, flowers, people, scenes, species, streams
from itm_tutorial.worlds.birds import world as birds_world
from itm_tutorial.worlds.flowers import world as flowers_world
from itm_tutorial.worlds.people import world as people_world
from itm_tutorial.worlds.scenes import world as scenes_world
from itm_tutorial.worlds.species.world import Size, make_splits

MASK = "<mask>"
MASK_ID = len(SPECIAL)  # the first word after the special ones
MINI = {
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": 64,
    "hidden_dropout_prob": 0.0,  # little more than one pass over the text: nothing is learned by heart
    "attention_probs_dropout_prob": 0.0,
}
N_SCENES, N_PEOPLE, N_SPECIES = 3_000, 1_000, 48  # of birds and of flowers each, and two more that splits must have
STEPS, BATCH, LEARNING_RATE, CLIP = 800, 64, 2e-3, 1.0
ELSEWHERE = 7_000_000  # added to a seed: the text's species are those of no corpus that the course loads


@dataclass(frozen=True)
class Bert:
    """A trained BERT and what it takes to use it.

    Attributes:
        module: the network, frozen, on the CPU.
        vocabulary: turns captions into the numbers that the network reads.
        config: makes the network again, as plain data: ``BertWords(config)``.
    """

    module: BertWords
    vocabulary: Vocabulary
    config: dict[str, Any]


def write_text(seed: int, share: float = 1.0) -> list[str]:
    """Captions of all drawn worlds, of scenes, people and species that are in no corpus; nothing is drawn.

    Args:
        seed: of the text.
        share: how much of the usual 41,000 captions.

    Returns:
        The captions, in random order.
    """
    elsewhere = ELSEWHERE + seed
    of_scenes = scenes_world.make_split("text", math.ceil(share * N_SCENES), elsewhere)
    of_people = people_world.make_split("text", math.ceil(share * N_PEOPLE), elsewhere)
    captions = [truth.text for split in (of_scenes, of_people) for truth in split.truths]
    size = Size(
        (math.ceil(share * N_SPECIES), 1, 1), pictures=20, per_genus=3
    )  # few species per genus, many genera: every shape occurs
    for world in (birds_world.WORLD, flowers_world.WORLD):
        made = make_splits(replace(world, sizes={"text": size}), "text", elsewhere)
        captions += [truth.text for split in made.values() for truth in split.truths]
    streams.stream("text", seed, "order").shuffle(captions)
    return captions


def hide_words(ids: LongTensor, n_words: int, share: float = 0.15) -> tuple[LongTensor, Tensor]:
    """Chooses the words to be guessed: eight in ten are masked, one becomes another word, one stays as it is.

    Were all of them masked, the network would have nothing to say of a word that is not, and captions have no masks.

    Args:
        ids: int64 [n_captions, seq_len]; special words are never chosen.
        n_words: in the vocabulary.
        share: of the words that are chosen.

    Returns:
        int64 [n_captions, seq_len], what the network is shown; bool of the same shape, the words it must guess.

    Devlin et al. 2019, section 3.1, task 1.
    """
    chosen = (ids > MASK_ID) & (torch.rand(ids.shape) < share)
    fate = torch.rand(ids.shape)
    another = torch.randint(MASK_ID + 1, n_words, ids.shape)
    shown = torch.where(chosen & (fate < 0.8), MASK_ID, ids)
    return torch.where(chosen & (fate >= 0.9), another, shown), chosen


class MaskedWords(nn.Module):
    """A BERT that is being trained, and the head that guesses hidden words by the word vectors they are read with.

    Args:
        config: arguments of ``transformers.BertConfig``.
    """

    def __init__(self, config: dict[str, Any]):
        super().__init__()
        self.bert = make_bert(config)
        dim = config["hidden_size"]
        self.head = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)
        self.bias = nn.Parameter(torch.zeros(config["vocab_size"]))
        self._start()

    @torch.no_grad()
    def _start(self) -> None:
        """Positions start as waves, not as noise: in a run this short, where a word stands is else hardly learned.

        Measured in 800 steps: of a hundred held-out words about four more are guessed.
        """
        positions = self.bert.embeddings.position_embeddings.weight  # [seq_len, dim]
        seq_len, dim = positions.shape
        angles = torch.arange(seq_len)[:, None] * torch.exp(-math.log(200) * torch.arange(0, dim, 2) / dim)
        positions.copy_(0.1 * torch.stack([angles.sin(), angles.cos()], -1).flatten(1))
        nn.init.normal_(self.bert.embeddings.word_embeddings.weight, std=0.1)

    def forward(self, shown: LongTensor, lengths: LongTensor, chosen: Tensor) -> Tensor:
        """Guesses the chosen words alone: [n, seq_len], [n], bool [n, seq_len] -> [n_chosen, n_words]."""
        mask = word_mask(shown, lengths).long()
        states = self.bert(input_ids=shown, attention_mask=mask).last_hidden_state[chosen]  # [n_chosen, dim]
        guesses = self.norm(gelu(self.head(states)))
        return guesses @ self.bert.embeddings.word_embeddings.weight.T + self.bias


@torch.inference_mode(False)  # a BERT may first be asked for where no gradient is wanted
@torch.enable_grad()
def train_masked_words(
    captions: list[str], held_out: list[str], config: dict[str, Any], steps: int = STEPS, seed: int = 0
) -> tuple[BertWords, Vocabulary, dict[str, float]]:
    """Trains a BERT from nothing on masked words; there is no second task, since captions do not follow each other.

    Args:
        captions: to learn from; every word of theirs is in the vocabulary.
        held_out: to measure on; those that also stand in ``captions``, word for word, are left out.
        config: as ``MINI``; the size of the vocabulary is added.
        steps: batches of ``BATCH`` captions.
        seed: of weights, order and masks; the caller's random state stays as it was.

    Returns:
        The BERT, frozen; its vocabulary; its figures, as ``held_out_figures`` gives them.

    Raises:
        ItmError: no held-out caption is new, or a caption is longer than the positions of ``config``.
    """
    vocabulary = Vocabulary([MASK, *Vocabulary.from_captions(captions).words[len(SPECIAL) :]])
    known = set(captions)
    new = [caption for caption in held_out if caption not in known]
    if not new:
        raise ItmError("held_out: every caption of it is also learned from; give captions that are not")
    tokens, unseen = vocabulary.encode(captions), vocabulary.encode(new)
    seq_len, room = max(int(some.lengths.max()) for some in (tokens, unseen)), config["max_position_embeddings"]
    if seq_len > room:
        raise ItmError(f"captions: the longest has {seq_len} words with <start> and <end>, and config has {room} "
                       "positions; give max_position_embeddings a larger number")  # fmt: skip
    config = {**config, "vocab_size": len(vocabulary)}
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        network = MaskedWords(config)
        optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.1)
        for batch in _batches(tokens, steps):
            shown, chosen = hide_words(batch.ids, len(vocabulary))
            loss = cross_entropy(network(shown, batch.lengths, chosen), batch.ids[chosen])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()
            schedule.step()
        figures = held_out_figures(network, tokens, unseen)
        module = BertWords(config)
    module.bert.load_state_dict(network.bert.state_dict())
    return module, vocabulary, figures


@contextmanager
def _one_thread() -> Iterator[None]:
    """Holds torch to one core: a second gains a quarter where it is free, and costs several times over where not."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _batches(tokens: Tokens, steps: int) -> Iterator[Tokens]:
    """Batches in random order, each of captions about as long as each other: less padding, less work."""
    done = 0
    while True:
        batches = []
        for some in torch.randperm(len(tokens)).split(32 * BATCH):
            batches += some[tokens.lengths[some].argsort()].split(BATCH)
        for number in torch.randperm(len(batches)).tolist():
            if done == steps:
                return
            batch = tokens[batches[number]]
            if (batch.ids > MASK_ID).sum() < 20:  # so few words that none might be chosen
                continue
            yield batch
            done += 1


@torch.no_grad()
def held_out_figures(network: MaskedWords, learned: Tokens, unseen: Tokens) -> dict[str, float]:
    """How often a hidden word is guessed, and how often the text's most frequent word would have been right.

    Args:
        network: the trained one.
        learned: the training text, whose most frequent word is the baseline.
        unseen: the text to measure on.

    Returns:
        "accuracy" and "most_frequent", from 0 to 1, over the same hidden words; "n_hidden", how many.
    """
    network.eval()
    frequent = Counter(learned.ids[learned.ids > MASK_ID].tolist()).most_common(1)[0][0]
    right = baseline = n = 0
    for rows in torch.arange(len(unseen)).split(500):
        batch = unseen[rows]
        shown, chosen = hide_words(batch.ids, len(network.bias))
        wanted = batch.ids[chosen]  # [n_chosen]
        right += int((network(shown, batch.lengths, chosen).argmax(1) == wanted).sum())
        baseline += int((wanted == frequent).sum())
        n += len(wanted)
    return {"accuracy": round(right / max(n, 1), 3), "most_frequent": round(baseline / max(n, 1), 3), "n_hidden": n}


def train_bert(seed: int = 0) -> tuple[BertWords, Vocabulary, dict[str, float]]:
    """Trains the mini BERT on the text of the drawn worlds (under a minute on two cores).

    Args:
        seed: of text and training.

    Returns:
        The BERT, frozen; its vocabulary; its figures: accuracy on hidden words of held-out captions, seconds.

    Devlin et al. 2019, section 3.1, task 1.
    """
    start = time.perf_counter()
    captions, held_out = write_text(seed), write_text(seed + 1, share=0.05)
    module, vocabulary, figures = train_masked_words(captions, held_out, MINI, seed=seed)
    return module, vocabulary, {**figures, "seconds": round(time.perf_counter() - start, 1), "seed": seed}


def bert_folder(seed: int = 0) -> Path:
    """Where the mini BERT is kept; a change in the worlds' source, in the network or here trains it anew."""
    worlds = (scenes, people, birds, flowers, species, streams)
    key = source_hash(*worlds, bert_encoder, sys.modules[__name__])
    return cache_dir() / "bert" / f"mini-seed{seed}-{key}"


def load_bert(name: str = "mini") -> Bert:
    """A trained BERT: the course's own, or one that others have published.

    Args:
        name: "mini" (from the cache, or trained now, under a minute on two cores); a folder on disk; or a name at
            Hugging Face, such as "bert-base-uncased", which is fetched once and kept by their library.

    Returns:
        The network, frozen, its vocabulary and its configuration.

    Raises:
        ItmError: no such folder or name, no network, no BERT, no fast tokenizer, no safetensors.
    """
    with torch.random.fork_rng(devices=[]):  # a network is first made with random weights
        return _load_mini() if name == "mini" else Bert(*load_published(name))


def _load_mini(seed: int = 0) -> Bert:
    def build(part: Path) -> None:
        module, vocabulary, figures = train_bert(seed)
        write_tensors(part / "weights.safetensors", module.state_dict())
        vocabulary.save(part / "vocabulary.json")
        write_json(part / "config.json", {**MINI, "vocab_size": len(vocabulary)})
        write_json(part / "figures.json", figures)

    folder = prepare_folder(bert_folder(seed), build)
    config = read_json(folder / "config.json")
    module = BertWords(config)
    module.load_state_dict(read_tensors(folder / "weights.safetensors"))
    return Bert(module, Vocabulary.load(folder / "vocabulary.json"), config)

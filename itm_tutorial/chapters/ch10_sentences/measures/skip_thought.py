"""What the claim about skip-thoughts measures, and the frozen encoders that it compares."""

from __future__ import annotations

from functools import partial

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import SPECIAL, tokenize
from itm_tutorial.encoders.skip_thought import SkipThoughtEncoder, start_skip_thought
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import Matching, create_model
from itm_tutorial.models.skip_thought import SentenceProjection
from itm_tutorial.pretraining.skip_thought import load_skip_thought
from itm_tutorial.pretraining.word_vectors import train_skip_gram
from itm_tutorial.worlds.objects.lore import write_lore
from itm_tutorial.worlds.stories import kept_out_words, write_stories

KEEP = 2.0  # bias of the update gate of the random GRU with a long memory: it keeps 88 % of its state at each word


def recalls(trained: Trained) -> dict[str, float]:
    """R@10 of the test split in percent, the mean of both directions, and rsum."""
    report = evaluate(trained.scores, trained.corpus.test.image_of)
    return {"r10": (report.i2t.r10 + report.t2i.r10) / 2, "rsum": report.rsum}


def recalls_of_kept_out(trained: Trained) -> dict[str, float]:
    """R@10 in percent of finding the image of a test caption that has a word kept out of the stories."""
    test, words = trained.corpus.test, kept_out_words()
    rows = torch.tensor([bool(words & set(tokenize(caption))) for caption in test.captions])  # [n_captions]
    hits = ranks_of_images(trained.scores, test.image_of)[rows] <= 10
    return {"kept_out_r10": 100 * hits.float().mean().item(), "kept_out_captions": int(rows.sum())}


def ranks_of_images(scores: Tensor, image_of: LongTensor) -> LongTensor:
    """The rank, from 1, of each caption's image; ties count against it: [n_images, n_captions] -> [n_captions]."""
    positive = scores[image_of, torch.arange(len(image_of))]  # [n_captions]
    return (scores >= positive).sum(0)


def of_seed(arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """The model with an encoder whose text and training have the seed of the run."""
    return create_model("skip_thought", corpus, seed=seed, **{"encoder_seed": seed, **arm.options})


def exchanged(arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """As ``of_seed``, but the vectors that the expansion made are dealt to each other's words."""
    model = of_seed(arm, corpus, seed, before)
    table, known = _table(model), load_skip_thought(seed=seed).known
    order = torch.randperm(len(table) - known, generator=torch.Generator().manual_seed(seed))
    table[known:] = table[known:][order]
    return model


def untrained(memory: bool, arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """As ``of_seed``, with random weights in the encoder.

    Args:
        memory: False leaves them as they are before the training on stories. True is a stronger control: word vectors
            and input weights of usual size, and update gates that keep most of the state, for the first words of a
            sentence would be forgotten otherwise.
        arm, corpus, seed, before: as for ``Arm.start``.
    """
    model = of_seed(arm, corpus, seed, before)
    encoder = next(module for module in model.modules() if isinstance(module, SkipThoughtEncoder))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        start_skip_thought(encoder)
        if memory:
            nn.init.normal_(encoder.words.weight)
            nn.init.xavier_normal_(encoder.gru.weight_ih_l0)
            dim = encoder.gru.hidden_size
            encoder.gru.bias_ih_l0[dim : 2 * dim] = KEEP
    return model


def mean_of_words(arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """The same maps and loss over the mean of word vectors, as many numbers each as a sentence vector has.

    They are learned by skip-gram from stories and lore together, so that words kept out of the stories have one too.
    """
    model = of_seed(arm, corpus, seed, before)
    dim = model.text_encoder.project.in_features
    text = [sentence for story in write_stories(4_000, seed=seed) for sentence in story]
    learned = train_skip_gram(text + write_lore(50_000, seed=seed), dim=dim, epochs=2, seed=seed, snapshots=())
    words = [word for word in model.vocabulary.words[len(SPECIAL) :] if word in learned.vectors]
    average = WordAverage(len(model.vocabulary), dim)
    vectors = learned.vectors.matrix(words)  # [n_words, dim]
    vectors = nn.functional.normalize(vectors - vectors.mean(0), dim=-1)
    average.vectors[[model.vocabulary.index[word] for word in words]] = vectors
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.text_encoder = SentenceProjection(average, dim, model.text_encoder.project.out_features)
    return model


initial_weights, long_memory = partial(untrained, False), partial(untrained, True)


def _table(model: Matching) -> Tensor:
    return next(module for module in model.modules() if isinstance(module, SkipThoughtEncoder)).words.weight.data

"""What the claim on probes measures: four tasks on the embeddings of captions, whatever the encoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.runner import Run, Trained
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.text import WordAverage, masked_mean, word_mask
from itm_tutorial.evaluation.probing import probe
from itm_tutorial.evaluation.probing_tasks import ProbingTask, changed_task, count_task, object_task, swapped_task
from itm_tutorial.evaluation.query_changes import replace_object
from itm_tutorial.extraction.features import split_features
from itm_tutorial.pretraining.bert import load_bert
from itm_tutorial.pretraining.word_vectors import world_words

CHUNK = 256  # captions encoded at a time
JUDGES_OF = {  # task -> its probes
    "object": ("linear", "network"),
    "count": ("linear",),
    "swapped": ("linear", "network"),
    "replaced": ("linear",),  # by the same few words: a list of them is enough
}
Encode = Callable[[list[str]], Tensor]  # captions -> [n_captions, dim]


def tasks_of(corpus: Corpus, seed: int) -> dict[str, ProbingTask]:
    """The tasks on captions of the test split, which no encoder was trained on."""
    split = corpus.test
    return {
        "object": object_task(split),
        "count": count_task(split),
        "swapped": swapped_task(split, seed),
        "replaced": changed_task(split, replace_object, seed),
    }


def probed(encode: Encode, corpus: Corpus, seed: int) -> dict[str, dict[str, float]]:
    """Every task and probe: accuracy, control and majority in percent.

    Args:
        encode: captions -> embeddings, of an encoder that no longer changes.
        corpus: of drawn scenes.
        seed: of tasks and probes, the same for every encoder.

    Returns:
        Task -> name of a metric -> percent. "linear" and "network" are accuracies; "linear, random labels" is that of
        the control; "majority" that of the most common label.
    """
    figures = {}
    for name, task in tasks_of(corpus, seed).items():
        embeddings = encoded(encode, task.captions)
        figures[name] = _figures(embeddings, task, JUDGES_OF[name], seed)
    return figures


def of_model(trained: Trained) -> dict[str, Any]:
    """The tasks on the caption embeddings of a model."""
    return probed(trained.model.eval().encode_captions, trained.corpus, trained.seed)


def beside_the_image(trained: Trained) -> dict[str, Any]:
    """Was a word replaced, with the picture beside the caption: a linear probe on the products of their numbers.

    Their sum is the model's score; a caption alone can only tell whether its words go together.
    """
    model, task = trained.model.eval(), swapped_task(trained.corpus.test, trained.seed)
    with torch.no_grad():
        images = model.encode_images(split_features(trained.corpus.test, model.features)).cpu()  # [n_images, dim]
    both = encoded(model.encode_captions, task.captions) * images[task.image_of]
    return {"beside the image": _figures(both, task, ("linear",), trained.seed)}


def of_word_vectors(run: Run) -> dict[str, Any]:
    """A one-sided encoder: the mean of word vectors that were learned from text alone."""
    words = world_words(run.seed)
    vocabulary, encoder = Vocabulary(words.words), WordAverage(len(Vocabulary(words.words)), words.dim, centre=True)
    encoder.use(words.vectors)

    def encode(captions: list[str]) -> Tensor:
        tokens = vocabulary.encode(captions)
        return encoder(tokens.ids, tokens.lengths)

    return probed(encode, run.corpus, run.seed)


def of_bert(run: Run) -> dict[str, Any]:
    """A one-sided encoder: the mean over the words of a small BERT that has seen captions and no picture.

    Padding takes no part; in the authors' code it does, in a sum.
    """
    bert = load_bert("mini")

    def encode(captions: list[str]) -> Tensor:
        tokens = bert.vocabulary.encode(captions)
        states = bert.module(tokens.ids, tokens.lengths)  # [n_captions, seq_len, dim]
        return normalize(masked_mean(states, word_mask(tokens.ids, tokens.lengths)), dim=-1)

    return probed(encode, run.corpus, run.seed)


@torch.no_grad()
def encoded(encode: Encode, captions: list[str]) -> Tensor:
    """Embeddings of captions, some at a time, float32 [n_captions, dim] on the CPU."""
    return torch.cat([encode(captions[i : i + CHUNK]).float().cpu() for i in range(0, len(captions), CHUNK)])


def _figures(embeddings: Tensor, task: ProbingTask, judges: tuple[str, ...], seed: int) -> dict[str, float]:
    found = {}
    for judge in judges:
        result = probe(embeddings, task.labels, task.groups, judge, seed=seed)
        found |= {judge: result.accuracy, f"{judge}, random labels": result.control, "majority": result.majority}
        found |= {f"{judge}, lead": result.lead, f"{judge}, selectivity": result.selectivity}
    return found

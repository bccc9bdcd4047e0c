"""Draws the small figures of README's table of chapters, with the chapters' own figure functions; chapter 03 is in
attention_picture.py, because it needs a trained model.

python docs/thumbnails.py
"""

import io
from pathlib import Path

import torch
from matplotlib.figure import Figure
from PIL import Image

import itm_tutorial as itm
from itm_tutorial.chapters.ch00_start_here.figures import score_matrix
from itm_tutorial.chapters.ch01_devise.figures import one_word_space
from itm_tutorial.chapters.ch02_vsepp.figures import forces
from itm_tutorial.chapters.ch04_timam.figures import worlds
from itm_tutorial.chapters.ch10_sentences.reading_figures import draw_tree
from itm_tutorial.chapters.ch11_fragments.figures import attention_matrix
from itm_tutorial.chapters.ch12_correlation.figures import shift
from itm_tutorial.chapters.ch13_writing.figures import log_p_by_word
from itm_tutorial.chapters.ch14_early_attention.figures import cost_lines
from itm_tutorial.chapters.ch14_early_attention.live import work_per_image
from itm_tutorial.chapters.ch15_attention.figures import plans, plans_after
from itm_tutorial.chapters.ch21_after_2020.figures import loss_gradients
from itm_tutorial.chapters.ch21_after_2020.loss_figures import EIGHT
from itm_tutorial.chapters.ch90_literature.figures import record
from itm_tutorial.data.parsing import WorldParser
from itm_tutorial.encoders.fisher_vector import Mixture
from itm_tutorial.show.canvas import described, new_figure

IMAGES = Path(__file__).parent / "images"
WIDTH = 960  # pixels: README shows them 240 wide, the gallery and the site larger
PICTURES = ("00", "04")  # chapters whose figure shows drawn pictures; the others have few colours
LEFT = {"01": 0.61}  # chapter -> where the part of its figure begins that is shown


def save_small(figure: Figure, file: Path, left: float = 0.0, width: int = WIDTH, colours: int = 256) -> None:
    """Writes a figure, or what stands right of a fraction of its width, as a small PNG of few colours."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=2 * width / figure.get_figwidth() / (1 - left))
    picture = Image.open(buffer).convert("RGB")
    picture = picture.crop((round(left * picture.width), 0, picture.width, picture.height))
    height = round(width * picture.height / picture.width)
    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    picture.quantize(colours, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file.name}, {file.stat().st_size / 1000:.0f} kB: {itm.show.alt_text(figure)}")


def scores_of_scenes() -> Figure:
    """Chapter 00: the scores of an oracle for four images and their captions."""
    split = itm.load_corpus("scenes", size="tiny").test
    images, captions = list(range(0, 12, 3)), [split.image_of.tolist().index(i) for i in range(0, 12, 3)]
    figure = new_figure(3.6, 3)
    scores = itm.oracle_scores(split)[images][:, captions]
    score_matrix(scores, torch.arange(4), images=[split.images[i] for i in images], axes=figure.subplots())
    return figure


def word_space() -> Figure:
    """Chapter 01: a picture among words; its right part is shown."""
    corpus = itm.load_corpus("objects", size="tiny")
    return one_word_space(corpus.classes, corpus.unseen)


def two_losses() -> Figure:
    """Chapter 02: which wrong captions the hardest negative moves."""
    return forces(losses=("max",), figure=new_figure(7.2, 5.6))


def three_worlds() -> Figure:
    """Chapter 04: people, birds and flowers."""
    splits = {name: itm.load_corpus(name, size="tiny").train for name in ("people", "birds", "flowers")}
    return worlds(splits, n=4, figure=new_figure(4.4, 4.4))


def tree() -> Figure:
    """Chapter 10: the dependency tree of a caption."""
    figure = new_figure(5.4, 3.6)
    draw_tree(figure.subplots(), WorldParser("scenes")(["A white dog stands next to a cat."])[0])
    return described(figure, "The words of a caption in a row, joined by arcs into a dependency tree.")


def best_regions() -> Figure:
    """Chapter 11: the best region of each word, from a made-up table of dot products."""
    figure = new_figure(3.9, 3)
    dots = torch.tensor([[3.1, 0.4, -0.3], [0.5, 2.6, -0.2], [-0.8, 0.1, -0.6]])
    attention_matrix(dots, ["cow", "dog", "is"], axes=figure.subplots())
    return figure


def sentence_as_shift() -> Figure:
    """Chapter 12: where a sentence would move the means of a mixture, from made-up word vectors."""
    centres, g = torch.tensor([[0.0, 1.6], [-1.7, -1.0], [1.8, -0.9]]), torch.Generator().manual_seed(4)
    places = centres.repeat_interleave(24, 0) + 0.5 * torch.randn(72, 2, generator=g)
    words = {f"word {i}": place for i, place in enumerate(places)}
    words |= {"red": torch.tensor([-0.7, 2.2]), "small": torch.tensor([-0.9, 1.0]), "dog": torch.tensor([-1.6, -1.9])}
    mixture, inside = Mixture(3, 2), ["red", "small", "dog"]
    mixture.fit(torch.stack(list(words.values())), seed=0, floor=0.01)
    rows = torch.stack([words[word] for word in inside])[None]
    moved = mixture(rows, torch.ones(1, 3, dtype=torch.bool)).view(3, 2, 2)[:, 0]
    figure = new_figure(3.9, 3)
    shift(words, inside, mixture, moved, axes=figure.subplots())
    return figure


def sum_of_words() -> Figure:
    """Chapter 13: log P of a caption word by word, from made-up numbers."""
    words = {"log P of a caption, word by word": [("a", -0.4), ("red", -1.1), ("cow", -3.2), ("<end>", -0.6)]}
    return log_p_by_word(words, new_figure(4.4, 3.2))


def costs_per_image() -> Figure:
    """Chapter 14: what an image costs by the number of captions."""
    work = work_per_image(2, 36, 12, 512)
    return cost_lines(work, 5000, ("DAN, K = 2", "SCAN"), new_figure(4.6, 3.4))


def attention_and_transport() -> Figure:
    """Chapter 15: where words look by attention, and by a transport plan, from made-up costs."""
    cost = torch.tensor([[0.9, 0.3, 0.1, 0.7], [0.8, 0.8, 0.9, 0.2], [0.7, 0.9, 1.0, 0.8], [0.9, 0.6, 0.9, 0.9]])
    attention, words = (-cost / 0.1).softmax(0) / 4, ["a", "red", "cow", "dog"]
    return plans({"attention": attention, "transport": plans_after(cost, (200,))["200 steps"]}, cost, words)


def two_gradients() -> Figure:
    """Chapter 21: what a softmax and a sigmoid ask of one score matrix."""
    scores = torch.tensor([[0.60, 0.52, 0.45], [0.20, 0.70, 0.35], [0.05, 0.30, 0.50]])
    return loss_gradients(scores, {name: EIGHT[name] for name in ("softmax, temperature 0.1", "sigmoid, scale 10")})


def records() -> Figure:
    """Chapter 90: who held the record."""
    figure = new_figure(5.4, 3.6)
    record(axes=figure.subplots())
    return figure


if __name__ == "__main__":
    drawn = {
        "00": scores_of_scenes,
        "01": word_space,
        "02": two_losses,
        "04": three_worlds,
        "10": tree,
        "11": best_regions,
        "12": sentence_as_shift,
        "13": sum_of_words,
        "14": costs_per_image,
        "15": attention_and_transport,
        "21": two_gradients,
        "90": records,
    }
    for chapter, draw in drawn.items():
        colours = 256 if chapter in PICTURES else 32
        save_small(draw(), IMAGES / f"ch{chapter}.png", left=LEFT.get(chapter, 0.0), colours=colours)

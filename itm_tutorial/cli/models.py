"""The commands around one model: prepare a corpus, train, evaluate, search, attend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from itm_tutorial.cli.app import Column, Corpus, Folder, Seed, Size, Source, SplitName, app_of_commands
from itm_tutorial.errors import ItmError
from itm_tutorial.progress import say

COURSE = "course"  # what `itm prepare` takes in place of a corpus


@app_of_commands.command()
def prepare(
    name: Annotated[str, typer.Argument(help="a corpus that itm list names; course: all that the chapters share")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="folder with the files; without it, flickr8k's are downloaded"),
    ] = None,
    column: Column = None,
    size: Size = "mini",
    seed: Annotated[int | None, typer.Option(help="of a drawn corpus, or of the splits of your photographs")] = None,
) -> None:
    """Makes or converts a corpus and computes its features, so that training starts at once.

    With the name "course": makes every cache that the chapters share, so that no learner waits for one.
    """
    if name == COURSE:
        from itm_tutorial.course.preparation import prepare_course

        if source is not None or column or seed is not None:
            raise ItmError(f"{COURSE} takes --size alone: the chapters share drawn corpora of seed 0")
        prepare_course(size)
        say(f"every cache that the chapters share at size {size} is there")
        return
    import itm_tutorial as itm
    from itm_tutorial.course.own_data import columns_named, corpus_named
    from itm_tutorial.data import readers
    from itm_tutorial.data.names import OWN, PUBLISHED
    from itm_tutorial.storage import user_path

    source = None if source is None else user_path(source, "--from")
    if name in OWN:
        corpus = corpus_named(name, source=source, column=column, split_seed=seed)
    else:
        if name in PUBLISHED:
            readers.prepare(name, source, **columns_named(column))
        elif source is not None or column:
            raise ItmError(f"--from is for {', '.join(PUBLISHED)}, not for {name!r}: leave it out")
        corpus = itm.load_corpus(name, size=size, seed=seed)
    say(f"{corpus!r}, {corpus.about}")
    features = itm.features(corpus)
    for name_of_split, split in corpus.splits.items():
        found = split.precomputed if split.precomputed is not None else getattr(features, name_of_split)
        say(f"{name_of_split}: features {list(found.shape)}")


@app_of_commands.command()
def train(
    model: Annotated[str, typer.Argument(help="a model that itm list names")],
    corpus: Corpus = "scenes",
    source: Source = None,
    column: Column = None,
    size: Size = "mini",
    seed: Seed = 0,
    epochs: Annotated[int | None, typer.Option(help="by default the model's own")] = None,
    batch_size: Annotated[int | None, typer.Option(help="captions per step; by default the model's own")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="by default the model's own")] = None,
    sampler: Annotated[
        str | None,
        typer.Option(help="captions; images: no image twice in a batch; siblings: two captions of each image"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, or another that Lightning Fabric knows")] = "auto",
    folder: Folder = Path("runs/model"),
    words: Annotated[Path | None, typer.Option(help="word vectors in GloVe's or word2vec's layout")] = None,
    option: Annotated[list[str] | None, typer.Option(help="of the model, as name=value; may be repeated")] = None,
    recipe: Annotated[str | None, typer.Option(help="drawn, flickr8k or paper; by default as fits the corpus")] = None,
    start: Annotated[
        Path | None, typer.Option(help="folder of a saved model to start from, for methods that can")
    ] = None,
    record: Annotated[bool, typer.Option(help="the best epoch as a row of runs/leaderboard.jsonl")] = True,
) -> None:
    """Trains and saves a model, records the run, and prints its recalls on the validation split.

    After every epoch a checkpoint is saved in the folder "unfinished" inside --folder: the same command continues a run
    that was stopped, and ends with the same weights. After a finished run it trains anew and replaces the model.
    """
    import shutil

    import itm_tutorial as itm
    from itm_tutorial.course import leaderboard as board
    from itm_tutorial.course.own_data import corpus_named, usual_recipe
    from itm_tutorial.data.text import tokenize
    from itm_tutorial.models import check_start, model_class, start_model
    from itm_tutorial.storage import check_writable, user_path

    options, folder = _options(option or []), user_path(folder, "--folder")
    model_class(model)  # refuses an unknown name before anything is drawn
    first = None if start is None else _kept_model(start)
    if first is not None:
        check_start(model, first)
    if start is not None and words is not None:
        raise ItmError("--start: the first model comes with its own word vectors; leave --words out")
    check_writable(folder)
    if record:
        check_writable(board.FILE.parent)
    data = corpus_named(corpus, size, seed, source, column)
    if words is not None:
        known_words = {word for caption in data.train.captions for word in tokenize(caption)}
        options["words"] = itm.read_word_vectors(words, words=known_words)
    if first is None:
        made = itm.create_model(model, data, seed=seed, recipe=recipe or usual_recipe(model, data), **options)
    else:
        made = start_model(model, first, recipe=None if recipe == "drawn" else recipe, **options)
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "sampler": sampler}
    unfinished = folder / "unfinished"
    stopped = (unfinished / "training.json").exists()
    history = itm.fit(made, data, seed=seed, device=device, folder=unfinished, **settings)
    recorder = board.leaderboard_callback(data, seed=seed)
    for row in history.epochs:  # those of the run that was stopped too
        recorder(made, row)
    report = itm.evaluate(itm.score(made, data.val), data.val.image_of, identity=data.val.identity)
    if stopped:
        say("continued the run that was stopped")
    say(f"best epoch {history.best_epoch} of {len(history.epochs)}, on the validation split:\n{report}")
    trained_on = made.device
    itm.save_model(made.cpu(), folder, metrics=report.as_dict(), seed=seed)
    shutil.rmtree(unfinished, ignore_errors=True)
    say(f"kept in {folder}")
    if record:
        made.to(trained_on)  # which the row names
        recorder.finish()
        say(f"recorded in {board.FILE}; itm leaderboard --corpus {corpus} shows it beside published results")


def _options(pairs: list[str]) -> dict:
    """name=value pairs, the values read as JSON where they are."""
    options = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ItmError(f"--option {pair}: write name=value")
        try:
            options[name] = json.loads(value)
        except (ValueError, RecursionError):  # no JSON, or numbers and brackets without end
            options[name] = value
    return options


@app_of_commands.command()
def evaluate(
    corpus: Corpus = "scenes",
    source: Source = None,
    column: Column = None,
    size: Size = "mini",
    seed: Seed = 0,
    split: SplitName = "test",
    folder: Folder = Path("runs/model"),
    folds: Annotated[int, typer.Option(help="mean over this many equal parts: 5 for the 1K protocol of MSCOCO")] = 1,
    record: Annotated[bool, typer.Option(help="the recalls as a row of runs/leaderboard.jsonl")] = True,
) -> None:
    """Evaluates a saved model and records the result; for drawn scenes also the ceiling and minimal pairs."""
    import itm_tutorial as itm
    from itm_tutorial.course import leaderboard as board
    from itm_tutorial.evaluation.minimal_pairs import ceiling
    from itm_tutorial.evaluation.retrieval_metrics import check_folds
    from itm_tutorial.storage import check_writable
    from itm_tutorial.training.checkpoints import kept_seed

    model = _kept_model(folder)
    if record:
        check_writable(board.FILE.parent)
    whole, data = _split(split, corpus, size, seed, source, column)
    check_folds(folds, len(data.images), data.identity)
    scores = itm.score(model, data)
    report = itm.evaluate_folds(scores, data.image_of, folds, identity=data.identity)
    say(report)
    if record:
        board.record(board.run_row(model, whole, report.as_dict(), split, seed=kept_seed(folder), folds=folds))
    if data.facts is not None:
        say(f"\nceiling, by an oracle that reads the true scene:\n{ceiling(data)}\n\nminimal pairs (chance is 50 %):")
        for kind, result in itm.evaluate_minimal_pairs(scores, data).items():
            say(f"{kind:<10}{result.accuracy:6.1f} %  ({result.n} queries)")


@app_of_commands.command()
def search(
    query: Annotated[str, typer.Argument(help="a text, or the path of an image file")],
    corpus: Corpus = "scenes",
    source: Source = None,
    column: Column = None,
    size: Size = "mini",
    seed: Seed = 0,
    split: SplitName = "test",
    k: Annotated[int, typer.Option(help="how many pictures")] = 8,
    folder: Folder = Path("runs/model"),
    out: Annotated[Path, typer.Option(help="the picture to write")] = Path("runs/search.png"),
) -> None:
    """Searches a split with a saved model, by a text or by an image, and draws the results."""
    import itm_tutorial as itm
    from itm_tutorial.retrieval.search import hit_lines, image_file
    from itm_tutorial.storage import check_writable, disk_errors

    model, out = _kept_model(folder), _out(out, ".png")
    check_writable(out.parent)
    _, data = _split(split, corpus, size, seed, source, column)
    hits = itm.search(model, data, query, k=k)
    by_image = image_file(query)  # finds captions
    say(hit_lines(data, hits, captions=by_image is not None))
    figure = itm.show.captions_found(by_image, data, hits) if by_image else itm.show.ranked(data, hits)
    try:
        with disk_errors(out):
            figure.savefig(out, dpi=110)
    except ValueError as error:  # a file name of a format that is none
        raise ItmError(f"--out {out}: {error}") from error
    say(f"drawn in {out}")


@app_of_commands.command()
def attend(
    corpus: Corpus = "scenes",
    source: Source = None,
    column: Column = None,
    size: Size = "mini",
    seed: Seed = 0,
    split: SplitName = "test",
    n: Annotated[int, typer.Option("-n", help="how many captions, drawn at random")] = 8,
    draw: Annotated[int, typer.Option(help="seed of the random draw")] = 0,
    caption: Annotated[
        list[int] | None, typer.Option(help="the index of a caption to draw instead; may be repeated")
    ] = None,
    folder: Folder = Path("runs/model"),
    out: Annotated[Path, typer.Option(help="the page to write")] = Path("runs/attention.html"),
) -> None:
    """Draws which image regions the words of captions attend to, as a page for a browser."""
    import itm_tutorial as itm
    from itm_tutorial.storage import check_writable, write_text

    model, out = _kept_model(folder), _out(out, ".html")
    check_writable(out.parent)
    _, data = _split(split, corpus, size, seed, source, column)
    captions = _by_chance(len(data.captions), n, draw) if caption is None else caption
    seen = itm.attend(model, data, captions=captions)
    chosen = "chosen by --caption" if caption else f"drawn at random (--draw {draw}), none left out"
    number = f"{len(captions)} caption{'s' * (len(captions) > 1)}"
    about = [
        f"{number} of {corpus}, split {split}, {chosen}. The model is {model.name} with the options "
        f"{', '.join(f'{name}={value}' for name, value in model.options.items()) or 'that it has by default'}.",
        "Below each map is a note on how to read it. A number is the largest fraction of a word's attention; if "
        f"attention were uniform, each region would get {1 / len(seen.weights[0]):.3f}.",
    ]
    if unseen := sorted({word for words in seen.words for word in words if word not in model.vocabulary}):
        about.append(f"These words are not in the training captions, so their maps mean nothing: {', '.join(unseen)}.")
    title = f"Attention of {model.name}: which regions each word attends to"
    write_text(out, itm.show.attention_page(seen, data, title, about, backbone=model.features.backbone))
    say(f"{number} drawn in {out}: open it in a browser")


def _out(path: Path, suffix: str) -> Path:
    """The file to write; a name without a suffix gets one."""
    from itm_tutorial.storage import user_path

    path = user_path(path, "--out")
    if not path.name:
        raise ItmError(
            f"--out is {str(path)!r}, which names no file: write the name of a file, such as runs/page{suffix}"
        )
    return path if path.suffix else path.with_suffix(suffix)


def _by_chance(n_captions: int, n: int, draw: int) -> list[int]:
    import torch

    if not 1 <= n <= n_captions:
        raise ItmError(f"-n is {n}: give 1 to {n_captions}, the captions of the split")
    return torch.randperm(n_captions, generator=torch.Generator().manual_seed(draw))[:n].tolist()


def _kept_model(folder: Path):
    import itm_tutorial as itm
    from itm_tutorial.storage import user_path

    folder = user_path(folder, "--folder")
    if not (folder / "model.json").exists():
        raise ItmError(f"{folder} holds no model: give another --folder, or train one with itm train")
    return itm.load_model(folder)


def _split(name: str, *of_corpus):
    from itm_tutorial.course.own_data import corpus_named
    from itm_tutorial.data.names import ALL_SPLITS
    from itm_tutorial.errors import unknown

    if name not in ALL_SPLITS:
        raise unknown("split", name, ALL_SPLITS)
    whole = corpus_named(*of_corpus)
    return whole, getattr(whole, name)

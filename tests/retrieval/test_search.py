"""Search: the k best of all images or captions, and an index that encodes them once."""

import warnings
from pathlib import Path

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.encoders.text import Words
from itm_tutorial.errors import ItmError
from itm_tutorial.retrieval import search as module

PICTURE = torch.zeros(3, 8, 8, dtype=torch.uint8)
REGIONS = {"vsepp": 0, "order0": 0, "scan": 3}


@pytest.fixture
def pictures(monkeypatch):
    """Features of a picture of one's own: picture [3, 8, 8] of the number n -> features of image n of the split."""

    def use(split):
        features = torch.from_numpy(split.precomputed)
        monkeypatch.setattr(module, "image_features", lambda images, spec: features[[int(i[0, 0, 0]) for i in images]])
        return lambda number: PICTURE + number

    return use


def best(scores, k):
    """The oracle: the k largest, from a sort in Python."""
    return sorted(range(len(scores)), key=lambda i: -scores[i])[:k]


def both(model, split):
    """Hits of a query, by ``search`` and by a new index."""
    index = itm.SearchIndex(model, split)
    return [lambda query, k: itm.search(model, split, query, k=k), index.search]


@pytest.mark.parametrize("name", REGIONS)
def test_a_text_finds_the_images_with_the_largest_scores(name, make_model, make_split):
    model, split = make_model(name), make_split(regions=REGIONS[name])
    scores = itm.score(model, split)
    for search in both(model, split):
        for caption in (0, 7, 22):
            hits = search(split.captions[caption], 4)
            assert hits.query == split.captions[caption]
            assert hits.indices == best(scores[:, caption].tolist(), 4)
            assert hits.scores == pytest.approx(scores[hits.indices, caption].tolist(), abs=1e-5)


@pytest.mark.parametrize("name", REGIONS)
def test_an_image_finds_the_captions_with_the_largest_scores(name, make_model, make_split, pictures):
    model, split = make_model(name), make_split(regions=REGIONS[name])
    scores, picture = itm.score(model, split), pictures(split)
    for search in both(model, split):
        for image in (0, 10):
            hits = search(picture(image), 5)
            assert hits.query == "an image" and hits.indices == best(scores[image].tolist(), 5)
            assert hits.scores == pytest.approx(scores[image, hits.indices].tolist(), abs=1e-5)


@pytest.mark.parametrize("wanted", [0, 511, 512, 1_024, 1_100])
def test_every_chunk_is_searched_in_either_direction(wanted, make_model, make_split, pictures):
    assert 2 * module.CHUNK < 1_101
    model, split, text = make_model("vsepp"), make_split(1_101, 1_101), "word1 word2 word3 word4 word5"
    split.captions[wanted], bias = text, model.image_encoder.project.bias
    features = split.precomputed.copy()
    split.precomputed[wanted] = 0  # the embedding of an image without features is the direction of the bias
    with torch.no_grad():
        bias.copy_(1e-3 * model.encode_captions([text])[0])
    for search in both(model, split):
        assert search(text, 1).indices == [wanted]  # its cosine is 1
    split.precomputed[:], picture = features, pictures(split)
    with torch.no_grad():
        bias.mul_(1e6)  # now every image has that direction
    for search in both(model, split):
        assert search(picture(7), 1).indices == [wanted]


@pytest.mark.parametrize("k", [1, 3, 11, 12, 500])
def test_as_many_are_found_as_there_are(k, make_model, make_split, pictures):
    model, split = make_model("vsepp"), make_split()
    picture = pictures(split)
    for search in both(model, split):
        hits = search("word1", k)
        assert len(hits.indices) == len(hits.scores) == min(k, 11)
        assert len(set(hits.indices)) == min(k, 11)  # none twice
        assert hits.scores == sorted(hits.scores, reverse=True)
        assert len(search(picture(2), k).indices) == min(k, 23)


def test_what_cannot_be_searched_for_is_refused(make_model, make_split):
    model, split = make_model("vsepp"), make_split()
    model.encode_images = model.encode_captions = None  # refused before anything is encoded
    for search in both(model, split):
        for k in (0, -1):
            for query in ("word1", PICTURE):
                with pytest.raises(ItmError, match=f"k is {k}; give"):
                    search(query, k)
        for query in ("", " ?! ", "_"):
            with pytest.raises(ItmError, match="has no word in it"):
                search(query, 3)
        for query in (None, 3, ["word1"], PICTURE.float(), PICTURE[0], PICTURE[:2], PICTURE[None]):
            with pytest.raises(ItmError, match="neither a text nor an image"):
                search(query, 3)


@pytest.fixture
def photograph(tmp_path):
    """An image file that stands for picture 3."""
    from PIL import Image

    file = tmp_path / "my cat.png"
    Image.new("RGB", (8, 8), (3, 3, 3)).save(file)
    return file


@pytest.mark.parametrize("kind", [str, Path])
def test_the_path_of_an_image_is_searched_by_image(kind, make_model, make_split, pictures, photograph, monkeypatch):
    model, split = make_model("vsepp"), make_split()
    picture = pictures(split)(3)
    expected = itm.search(model, split, picture, k=5)
    for search in both(model, split):
        assert search(kind(photograph), 5) == expected
    monkeypatch.setenv("HOME", str(photograph.parent))
    monkeypatch.chdir(photograph.parent)
    assert itm.search(model, split, "my cat.png", k=5) == itm.search(model, split, "~/my cat.png", k=5) == expected
    photograph.rename("noname")
    assert itm.search(model, split, f"{photograph.parent}/noname", k=5) == expected


def test_a_file_that_is_no_image_or_not_there_is_named(make_model, make_split, tmp_path):
    model, split = make_model("vsepp"), make_split()
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    for search in both(model, split):
        for query in (tmp_path / "broken.jpg", str(tmp_path / "broken.jpg")):
            with pytest.raises(ItmError, match="broken.jpg is cut short or not an image"):
                search(query, 3)
        for query in (tmp_path / "gone.jpg", "gone.JPEG", "word1.png", "https://example.org/a.jpg", tmp_path):
            with pytest.raises(ItmError, match="there is no image file .*describe the picture in words"):
                search(query, 3)


@pytest.mark.parametrize(
    "query", ["word1 / word2", "word1.", "word1 word2.jpg", "word1 \0", "word1 " * 3000, "~nobody/word1"]
)
def test_a_text_that_only_looks_like_a_path_is_a_text(query, make_model, make_split):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert itm.search(make_model("vsepp"), make_split(), query, k=3).query == query


def test_unknown_words_of_a_query_are_named(make_model, make_split):
    model, split = make_model("vsepp"), make_split()
    for search in both(model, split):
        with pytest.warns(UserWarning, match="never saw 'zebra', 'wrod2' in training \\('wrod2': did you mean 'word"):
            found = search("word1 zebra zebra wrod2", 3)
        assert len(found.indices) == 3
        with pytest.raises(ItmError, match="never saw 'home', 'me' in training: use words of its training captions"):
            search("/home/me", 3)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            search("word1 Word2", 3)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_as_before_and_dropout_off(training, make_model, make_split, pictures):
    model, split = make_model("vsepp", dropout=0.5).train(training), make_split()
    scores, picture = itm.score(model, split), pictures(split)
    for search in both(model, split):
        assert search("word1 word2", 11) == search("word1 word2", 11)
        assert search(picture(4), 23).scores == pytest.approx(sorted(scores[4].tolist(), reverse=True), abs=1e-6)
        assert {part.training for part in model.modules()} == {training}
    for search in both(model, split):
        encode, model.encode_captions = model.encode_captions, lambda captions: 1 / 0
        with pytest.raises(ZeroDivisionError):
            search("word1", 1)
        model.encode_captions = encode
        assert {part.training for part in model.modules()} == {training}  # after an error too


# ---- the index


@pytest.mark.parametrize("name", REGIONS)
def test_an_index_finds_exactly_what_search_finds_ties_included(name, make_model, make_split, pictures, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 5)
    model, split = make_model(name), make_split(regions=REGIONS[name])
    split.precomputed[[3, 7, 9]] = split.precomputed[1]  # four images with equal features
    split.captions[15] = split.captions[2] = split.captions[4]
    index, picture = itm.SearchIndex(model, split), pictures(split)
    for k in (1, 2, 3, 11, 40):
        for query in (split.captions[4], "word7 word8", picture(3), picture(6)):
            assert index.search(query, k) == itm.search(model, split, query, k=k)
    tied = index.search(split.captions[4], 11).scores
    assert len(set(tied)) < len(tied)


class Several(torch.nn.Module):
    """A text encoder whose embeddings are a plain tuple of three tensors."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, ids, lengths):
        emb = self.inner(ids, lengths)
        return emb, 2 * emb, lengths


def test_embeddings_may_have_several_parts(make_model, make_split, pictures, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 4)
    model, split = make_model("vsepp"), make_split()
    model.text_encoder = Several(model.text_encoder)
    model.similarity = lambda image_emb, parts: image_emb @ (parts[0] + parts[1]).T / parts[2][None, :]
    index, picture = itm.SearchIndex(model, split), pictures(split)
    scores = itm.score(model, split)
    assert index.search(split.captions[5], 6).indices == best(scores[:, 5].tolist(), 6)
    assert index.search(picture(5), 6).indices == best(scores[5].tolist(), 6)
    assert isinstance(make_model("scan").encode_captions(["word1"]), Words)


def test_a_second_query_encodes_nothing_but_itself(make_model, make_split, counted, pictures, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 5)
    model, split = make_model("vsepp"), make_split()
    images, captions, picture = counted(model, "encode_images"), counted(model, "encode_captions"), pictures(split)
    reads = []
    read = module.split_features
    monkeypatch.setattr(module, "split_features", lambda *asked: reads.append(asked) or read(*asked))
    index = itm.SearchIndex(model, split)
    assert (images, captions) == ([], [])
    index.search("word1")
    assert sorted(images) == [1, 5, 5] and captions == [1]
    for number in range(5):
        index.search(f"word{number}")
    assert len(images) == 3 and captions == [1] * 6 and len(reads) == 1
    index.search(picture(0))
    assert len(images) == 4 and sorted(captions[6:]) == [3, 5, 5, 5, 5]
    index.search(picture(1))
    index.search("word2 word3")
    assert images[4:] == [1] and captions[11:] == [1]
    itm.search(model, split, "word1")
    assert len(images) == 5 + 3  # what is counted: without an index, every query encodes all images


def step(optimizer):
    """Trains a model by one step on a loss of its own."""

    def change(model):
        used = optimizer(model.parameters())
        model.similarity(
            model.encode_images(torch.ones(2, 8)), model.encode_captions(["word1", "word2"])
        ).sum().backward()
        used.step()

    return change


def shifted(model):
    """Other weights in the same tensors, from a checkpoint."""
    model.load_state_dict({name: 1.5 * value for name, value in model.state_dict().items()})


def new_layer(model):
    model.image_encoder.project = torch.nn.Linear(8, 6)


def one_word(model):
    """A change of one number behind autograd's back."""
    model.text_encoder.words.weight.data[7, 0] += 1e-3


CHANGES = {
    "sgd": step(lambda weights: torch.optim.SGD(weights, 0.1)),
    "adam": step(torch.optim.Adam),
    "fused adam": step(lambda weights: torch.optim.Adam(weights, fused=True)),
    "checkpoint": shifted,
    "new layer": new_layer,
    "one number": one_word,
    "buffer": lambda model: model.counter.add_(1),
    "half": lambda model: model.half(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_index_refuses_a_model_that_was_trained_since(change, make_model, make_split):
    model, split = make_model("vsepp"), make_split()
    model.register_buffer("counter", torch.zeros(1, dtype=torch.int64))
    index, unused = itm.SearchIndex(model, split), itm.SearchIndex(model, split)
    index.search("word1")
    CHANGES[change](model)
    for old in (index, unused):  # the one that has encoded nothing yet too
        with pytest.raises(ItmError, match="weights have changed since the index was made: make a new SearchIndex"):
            old.search("word1")
    if change != "half":
        assert itm.SearchIndex(model, split).search("word1") == itm.search(model, split, "word1")


def test_an_index_stays_of_use_while_the_weights_stay(make_model, make_split, tmp_path):
    model, split = make_model("vsepp", dropout=0.3), make_split()
    index = itm.SearchIndex(model, split)
    first = index.search("word1")
    itm.score(model, split)
    model.eval().train()
    model.load_state_dict({name: value.clone() for name, value in model.state_dict().items()})  # the same numbers
    model.to("cpu").zero_grad()
    itm.save_model(model, tmp_path)
    assert index.search("word1") == first


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", REGIONS)
def test_an_index_moves_with_its_model(name, make_model, make_split):
    model, split = make_model(name), make_split(regions=REGIONS[name])
    index = itm.SearchIndex(model, split)
    first = index.search("word1", 5)
    model.cuda()
    there = index.search("word1", 5)
    assert there.indices == first.indices and there.scores == pytest.approx(first.scores, abs=1e-3)

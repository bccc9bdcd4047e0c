"""A published CLIP or SigLIP against transformers' own forward pass, in small and offline; trained, cached, kept."""

import copy
import importlib.util
import json
from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.data.corpus import Split
from itm_tutorial.encoders.dual_encoder import DualEncoderNetwork
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Batch, create_model, start_model
from itm_tutorial.models._network_text import written
from itm_tutorial.pretraining import dual_encoder as published
from itm_tutorial.storage import cache_dir

_spec = importlib.util.spec_from_file_location("published_networks", Path(__file__).parent / "published_networks.py")
networks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(networks)

CAPTIONS = ["a red car", "the dog on the grass", "two blue tree", "a car on a tree", "red red dog"]
KINDS = pytest.mark.parametrize("kind", ["clip", "siglip"])
SETTINGS = {"epochs": 1, "batch_size": 10, "device": "cpu", "progress": False}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Kind -> (folder, transformers' own network)."""
    made = {}
    for kind, make in networks.MAKE.items():
        folder = tmp_path_factory.mktemp(kind)
        made[kind] = (folder, make(folder))
    return made


@pytest.fixture(scope="module")
def zero_shot(folders, tiny):
    """Kind -> the model before any training."""
    return {kind: create_model("dual_encoder", tiny, weights=str(folder)) for kind, (folder, _) in folders.items()}


def pictures():
    """Images of many shapes, uint8 [3, H, W]."""
    generator = torch.Generator().manual_seed(0)
    sizes = [(32, 32), (61, 40), (33, 90), (20, 20), (128, 128), (31, 200)]
    return [torch.randint(256, (3, *size), generator=generator, dtype=torch.uint8) for size in sizes]


def split_of(images, captions=CAPTIONS, fingerprint=None):
    pairing = torch.arange(len(captions)) % len(images)
    return Split("test", images, list(captions), pairing, fingerprint=fingerprint)


def their_inputs(kind, folder, images, captions):
    """What transformers makes of images and captions: its own processor and tokenizer."""
    from transformers import AutoImageProcessor, AutoTokenizer, PreTrainedTokenizerFast

    pixels = AutoImageProcessor.from_pretrained(folder)(images=images, return_tensors="pt")["pixel_values"]
    if kind == "clip":
        return pixels, dict(AutoTokenizer.from_pretrained(folder)(captions, padding=True, return_tensors="pt"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="<unk>")
    ids = tokenizer(captions, padding="max_length", max_length=64, return_tensors="pt")["input_ids"]
    return pixels, {"input_ids": ids}


@KINDS
@torch.no_grad()
def test_scores_are_transformers_own_logits(folders, zero_shot, kind):
    folder, network = folders[kind]
    images = pictures()
    pixels, texts = their_inputs(kind, folder, images, CAPTIONS)
    theirs = network(pixel_values=pixels, **texts).logits_per_image
    scores = itm.score(zero_shot[kind], split_of(images))
    assert scores.dtype == torch.float32 and scores.shape == (6, 5)
    assert theirs.std() > 0.1 and torch.allclose(scores, theirs, atol=1e-5, rtol=0)
    wrong = itm.score(zero_shot[kind], split_of([image.flip(0) for image in images]))  # colours in another order
    assert not torch.allclose(wrong, theirs, atol=1e-2)


@torch.no_grad()
def test_the_end_of_a_text_is_found_whatever_the_configuration_says(tmp_path, tiny):
    """OpenAI's configurations say that the end is token 2; transformers then takes the highest id."""
    network = networks.make_clip(tmp_path, eos_in_config=2)
    images = pictures()[:2]
    pixels, texts = their_inputs("clip", tmp_path, images, CAPTIONS)
    theirs = network(pixel_values=pixels, **texts).logits_per_image
    model = create_model("dual_encoder", tiny, weights=str(tmp_path))
    assert torch.allclose(itm.score(model, split_of(images)), theirs, atol=1e-5, rtol=0)


@KINDS
def test_images_are_fitted_as_the_library_does(folders, zero_shot, kind):
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(folders[kind][0])
    for image in pictures():
        theirs = processor(images=[image], return_tensors="pt")["pixel_values"]
        network = zero_shot[kind].network
        ours = network.normalised(network.fitted(image)[None])
        assert ours.shape == theirs.shape == (1, 3, 32, 32)
        assert torch.allclose(ours, theirs, atol=1e-5), image.shape


@pytest.mark.parametrize(("resized", "crop"), [(36, 32), (32, 32), (24, 32)])
def test_a_crop_that_is_smaller_or_larger_than_the_image(resized, crop):
    from transformers import CLIPImageProcessor

    size = {"size": {"shortest_edge": resized}, "crop_size": {"height": crop, "width": crop}}
    processor = CLIPImageProcessor(**size, do_center_crop=True, do_rescale=False, do_normalize=False)
    images = {"resized": resized, "crop": crop, "interpolation": "bicubic", "mean": [0.0] * 3, "std": [1.0] * 3}
    tower = networks.TOWER
    vision = {**tower, "image_size": 32, "patch_size": 8}
    network = DualEncoderNetwork({"model_type": "clip", "text_config": tower, "vision_config": vision}, images)
    for image in pictures():
        theirs = processor(images=[image], return_tensors="pt")["pixel_values"][0]
        assert torch.equal(network.fitted(image).float(), theirs.float())


@KINDS
def test_the_loss_is_the_librarys_own(folders, zero_shot, kind):
    folder, network = folders[kind]
    images = pictures()[:5]
    pixels, texts = their_inputs(kind, folder, images, CAPTIONS)
    with torch.no_grad():
        theirs = network(pixel_values=pixels, **texts, return_loss=True).loss
        model = zero_shot[kind]
        emb = model.features.extract(torch.stack([model.network.fitted(image) for image in images]))
        ours = model.loss(Batch(emb, model.tokenize(CAPTIONS), torch.arange(5)))
    assert torch.allclose(ours, theirs, atol=1e-5)
    if kind == "siglip":
        assert not torch.allclose(ours / 5, theirs, atol=1e-3)  # divided by B * B, it would be another number


def test_the_scale_of_clip_is_clamped_as_a_parameter(zero_shot):
    model = copy.deepcopy(zero_shot["clip"])
    batch = Batch(torch.randn(5, 24), model.tokenize(CAPTIONS), torch.arange(5))
    for value, kept in ((9.0, 100.0), (-1.0, 1.0)):
        model.network.network.logit_scale.data.fill_(value)
        model.loss(batch).backward()
        assert model.network.network.logit_scale.exp().item() == pytest.approx(kept)


@KINDS
def test_embeddings_are_extracted_once_and_kept(folders, tiny, kind, own_cache, monkeypatch):
    model = create_model("dual_encoder", tiny, weights=str(folders[kind][0]))
    split = split_of(pictures(), fingerprint=f"made/{kind}")
    first = itm.score(model, split)
    kept = [one.name for one in (cache_dir() / "features" / f"made-{kind}").iterdir() if one.is_dir()]
    assert len(kept) == 1 and kept[0].startswith("global-dual_encoder-")

    def refuse(*_):
        raise AssertionError("the network ran again")

    monkeypatch.setattr(DualEncoderNetwork, "encode_images", refuse)
    again = create_model("dual_encoder", tiny, weights=str(folders[kind][0]))
    assert torch.equal(itm.score(again, split), first)
    with torch.no_grad():
        next(again.network.network.vision_model.parameters()).add_(1)
    with pytest.raises(AssertionError, match="ran again"):  # other weights have features of their own
        itm.score(again, split)


@pytest.fixture
def own_cache(tmp_path, monkeypatch, cache):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))


@KINDS
def test_a_probe_trains_the_maps_and_then_all_weights_are_trained(folders, tiny, kind):
    model = create_model("dual_encoder", tiny, weights=str(folders[kind][0]))
    before = copy.deepcopy(model.state_dict())
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    scales = {"network.network.logit_scale"} | ({"network.network.logit_bias"} if kind == "siglip" else set())
    assert trained == {"image_map.weight", "text_map.weight"} | scales
    history = itm.fit(model, tiny, **{**SETTINGS, "epochs": 2})
    assert history.epochs[1]["loss"] < history.epochs[0]["loss"]
    after = model.state_dict()
    assert {name for name in before if not torch.equal(before[name], after[name])} == trained
    tuned = itm.unfreeze(model)
    assert torch.allclose(itm.score(tuned, tiny.val), itm.score(model, tiny.val), atol=1e-5)
    assert tuned.features.kind == "pixels" and tuned.recipe.learning_rate == pytest.approx(1e-4)
    itm.fit(tuned, tiny, **SETTINGS)
    changed = {name for name, value in tuned.state_dict().items() if not torch.equal(value, after[name])}
    assert {name.split(".")[2] for name in changed if name.startswith("network.")} >= {"text_model", "vision_model"}
    with pytest.raises(ItmError, match="trains its encoders already"):
        itm.unfreeze(tuned)


@KINDS
def test_a_kept_model_needs_no_folder(folders, tiny, kind, tmp_path):
    model = create_model("dual_encoder", tiny, weights=str(folders[kind][0]))
    itm.save_model(model, tmp_path / "kept")
    gone = tmp_path / "gone"
    about = json.loads((tmp_path / "kept" / "model.json").read_text())
    about["options"]["weights"] = str(gone)
    (tmp_path / "kept" / "model.json").write_text(json.dumps(about))
    again = itm.load_model(tmp_path / "kept")
    assert torch.equal(itm.score(again, tiny.val), itm.score(model, tiny.val))
    assert again.tokenize(CAPTIONS).ids.tolist() == model.tokenize(CAPTIONS).ids.tolist()


@KINDS
def test_all_that_the_course_does_with_a_model(zero_shot, tiny, kind):
    model, split = zero_shot[kind], tiny.test
    scores = itm.score(model, split)
    assert itm.evaluate(scores, split.image_of).rsum > 0
    assert itm.evaluate_minimal_pairs(scores, split)
    hits = itm.search(model, split, "a red car", k=3)
    alone = itm.score(model, split, captions=["a red car"])[:, 0]
    assert torch.allclose(torch.tensor(hits.scores), alone.topk(3).values, atol=1e-5)
    by_image = itm.search(model, split, split.images[4], k=2)
    assert torch.allclose(torch.tensor(by_image.scores), scores[4].topk(2).values, atol=1e-4)
    index = itm.SearchIndex(model, split)
    assert index.search("a red car", k=3).indices == hits.indices


@KINDS
@torch.no_grad()
def test_patch_maps(zero_shot, folders, kind):
    model, (_, network) = zero_shot[kind], folders[kind]
    image = pictures()[4]
    maps = model.patch_scores(image[None], CAPTIONS[:2])
    assert maps.shape == (1, 2, 4, 4) and (maps.abs() <= 1 + 1e-6).all()
    pixels = model.network.normalised(model.network.fitted(image)[None])
    states = network.vision_model(pixel_values=pixels).last_hidden_state[0]
    if kind == "clip":
        one = network.visual_projection(network.vision_model.post_layernorm(states[1 + 6]))
    else:
        one = network.vision_model.head(states[6][None, None])[0]
    text = model.encode_captions(CAPTIONS[:1])[0]
    assert maps[0, 0, 1, 2].item() == pytest.approx((normalize(one, dim=-1) @ text).item(), abs=1e-5)


@KINDS
def test_words_attend_to_patches(zero_shot, tiny, kind, tmp_path):
    model, split = zero_shot[kind], tiny.test
    seen = itm.attend(model, split, captions=[3, 7])
    assert len(seen) == 2 and seen.boxes.shape == (2, 16, 4) and seen.fit == {"clip": "crop", "siglip": "stretch"}[kind]
    for words, weights in zip(seen.words, seen.weights, strict=True):
        assert weights.shape == (16, len(words)) and torch.allclose(weights.sum(0), torch.ones(len(words)), atol=1e-5)
    cosines = model.patch_scores(split.images[int(seen.images[0])][None], seen.words[0][:1])[0, 0]
    assert torch.allclose(seen.weights[0][:, 0], (cosines.flatten() / 0.07).softmax(0), atol=1e-5)
    page = itm.show.attention_page(seen, split, "patches", backbone=model.features.backbone)
    assert page.count("<svg") + page.count("<img") >= 2


def test_a_long_caption_loses_its_end_but_not_its_last_token(zero_shot, said):
    model = zero_shot["siglip"]
    tokens = model.tokenize(["a red car", " ".join(["dog"] * 80)])
    assert tokens.lengths.tolist() == [4, 64] and tokens.ids.shape == (2, 64)
    assert tokens.ids[1, -1] == tokens.ids[0, 3] == 0  # </s>
    assert "1 captions, such as number 1, have more than the 64 tokens" in said()[0]


@pytest.mark.parametrize(
    ("how", "expected"),
    [("as it is", "A Dog, it's"), ("lower case", "a dog, it's"), ("without punctuation", "a dog its")],
)
def test_texts_are_written_as_the_tokenizer_expects(how, expected):
    assert written("A Dog, it's", how) == expected


def test_siglips_texts_have_no_punctuation(zero_shot):
    model = zero_shot["siglip"]
    assert model.text == "without punctuation" and zero_shot["clip"].text == "as it is"
    assert model.tokenize(["A red car!"]).ids.tolist() == model.tokenize(["a red  car"]).ids.tolist()


def test_the_tokenizer_of_siglip_2_lowers_alone(folders, tmp_path):
    for file in folders["siglip"][0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "GemmaTokenizerFast"}))
    assert published.load_dual_encoder(str(tmp_path)).text == "lower case"


# ---- what is refused


def test_without_the_weights_a_sentence_says_what_to_download_where(tiny, monkeypatch):
    with pytest.raises(ItmError, match="nothing is fetched unless you ask.*https://huggingface.co/nobody/nothing into"):
        create_model("dual_encoder", tiny, weights="nobody/nothing")

    def refuse(*_, **settings):
        assert settings.get("local_files_only") is None
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(ItmError, match="cannot be fetched \\(no network\\): download config.json"):
        published.fetch_dual_encoder("nobody/nothing")
    with pytest.raises(ItmError, match="is no name at Hugging Face"):
        published.fetch_dual_encoder("nothing")
    for wrong in ("/no/such/folder", "a/b/c", ""):
        with pytest.raises(ItmError, match="weights"):
            create_model("dual_encoder", tiny, weights=wrong)


def test_nothing_is_fetched_by_creating_a_model(tiny, monkeypatch):
    asked = []

    def look(name, **settings):
        asked.append(settings["local_files_only"])
        raise OSError("not there")

    monkeypatch.setattr("huggingface_hub.snapshot_download", look)
    with pytest.raises(ItmError):
        create_model("dual_encoder", tiny, weights="openai/clip-vit-base-patch32")
    assert asked == [True]


@pytest.fixture
def damaged(folders, tmp_path):
    """A copy of the CLIP folder, to be damaged."""
    for file in folders["clip"][0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def change(file, **values):
    read = json.loads(file.read_text())
    read.update(values)
    file.write_text(json.dumps(read))


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("config.json", {"model_type": "bert"}, "is of the type 'bert'.*model_type clip or siglip"),
        ("config.json", {"projection_dim": 25}, "visual_projection.weight|text_projection.weight"),
        ("config.json", {"text_config": {"hidden_size": 10**9}}, "less than or equal to 16384"),
        ("config.json", {"text_config": {"hidden_size": 33}}, "these sizes make no clip|heads"),
        ("preprocessor_config.json", {"size": {"height": 10, "width": 20}}, "images must become squares"),
        ("preprocessor_config.json", {"crop_size": {"height": 16, "width": 16}}, "its images are 32 pixels wide"),
        ("preprocessor_config.json", {"resample": 0}, "bilinear or bicubic"),
        ("preprocessor_config.json", {"image_std": [0.0, 1, 1]}, "image_std|squares"),
    ],
)
def test_files_that_do_not_fit_are_refused(damaged, file, values, message):
    change(damaged / file, **values)
    with pytest.raises(ItmError, match=message):
        published.load_dual_encoder(str(damaged))


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_or_cut_file_is_named(damaged, file):
    content = (damaged / file).read_bytes()
    for broken in (None, content[: len(content) // 2]):
        (damaged / file).unlink(missing_ok=True)
        if broken is not None:
            (damaged / file).write_bytes(broken)
        with pytest.raises(ItmError, match=file.replace(".", "\\.")):
            published.load_dual_encoder(str(damaged))


def test_a_pickle_is_not_read(damaged):
    (damaged / "model.safetensors").unlink()
    (damaged / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ItmError, match="pytorch_model.bin is not read, since a pickle can run any code"):
        published.load_dual_encoder(str(damaged))


def test_weights_in_several_files(folders, damaged):
    from safetensors.torch import load_file, save_file

    weights = load_file(damaged / "model.safetensors")
    names = sorted(weights)
    parts = {"a.safetensors": names[:20], "b.safetensors": names[20:]}
    for part, some in parts.items():
        save_file({name: weights[name] for name in some}, damaged / part)
    (damaged / "model.safetensors").unlink()
    index = {"weight_map": {name: part for part, some in parts.items() for name in some}}
    (damaged / "model.safetensors.index.json").write_text(json.dumps(index))
    theirs = published.load_dual_encoder(str(folders["clip"][0])).module.state_dict()
    ours = published.load_dual_encoder(str(damaged)).module.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    index["weight_map"][names[0]] = "../a.safetensors"
    (damaged / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ItmError, match="which is no file of weights"):
        published.load_dual_encoder(str(damaged))


def test_half_precision_weights_are_read_as_float32(damaged):
    from safetensors.torch import load_file, save_file

    weights = {name: value.half() for name, value in load_file(damaged / "model.safetensors").items()}
    weights["text_model.embeddings.position_ids"] = torch.arange(200)[None]  # older versions of the library kept these
    save_file(weights, damaged / "model.safetensors")
    module = published.load_dual_encoder(str(damaged)).module
    assert {value.dtype for value in module.parameters()} == {torch.float32}


def test_no_model_starts_from_it_and_features_alone_are_refused(tiny, zero_shot):
    with pytest.raises(ItmError, match="starts from no other model"):
        start_model("dual_encoder", zero_shot["clip"])
    with pytest.raises(ItmError, match="learns its own word vectors|leave words out"):
        create_model(
            "dual_encoder", tiny, weights=zero_shot["clip"].weights, words=itm.WordVectors(["a"], torch.eye(1))
        )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@KINDS
def test_on_a_gpu_it_trains_in_bf16(folders, tiny, kind):
    model = create_model("dual_encoder", tiny, weights=str(folders[kind][0]))
    itm.fit(model, tiny, epochs=1, batch_size=10, device="cuda", precision="bf16-mixed", progress=False)
    tuned = itm.unfreeze(model)
    history = itm.fit(tuned, tiny, epochs=1, batch_size=10, device="cuda", precision="bf16-mixed", progress=False)
    assert history.epochs[0]["loss"] > 0 and tuned.device.type == "cuda"

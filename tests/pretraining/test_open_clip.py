"""open_clip networks as folders of the course: the names of the weights, and the same embeddings where it is there."""

import pytest
import torch

from itm_tutorial.errors import ItmError
from itm_tutorial.pretraining.dual_encoder import load_dual_encoder
from itm_tutorial.pretraining.open_clip import keep_open_clip, renamed


def test_queries_keys_and_values_are_taken_apart_and_projections_turned():
    weights = {"visual.transformer.resblocks.3.attn.in_proj_weight": torch.arange(6.0)[:, None]}
    weights |= {"transformer.resblocks.0.mlp.c_fc.bias": torch.ones(2), "text_projection": torch.ones(2, 5)}
    found = renamed(weights)
    layer = "vision_model.encoder.layers.3.self_attn"
    assert found[f"{layer}.k_proj.weight"].flatten().tolist() == [2, 3] and len(found) == 5
    assert "text_model.encoder.layers.0.mlp.fc1.bias" in found and found["text_projection.weight"].shape == (5, 2)


@pytest.mark.parametrize("name", ["visual.trunk.stem.weight", "transformer.resblocks.0.ls_1.gamma", "logit_bias"])
def test_another_network_is_refused(name):
    with pytest.raises(ItmError, match=f"the weight {name} has no counterpart"):
        renamed({name: torch.ones(1)})


@torch.no_grad()
@pytest.mark.parametrize("quick", [False, True])
def test_the_embeddings_are_those_of_open_clip(tmp_path, quick):
    open_clip = pytest.importorskip("open_clip")
    torch.manual_seed(0)
    vision = {"layers": 2, "width": 64, "head_width": 16, "patch_size": 8, "image_size": 32}
    text = {"layers": 2, "width": 48, "heads": 4}
    network = open_clip.model.CLIP(24, vision, text, quick_gelu=quick).eval()
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    loaded = load_dual_encoder(str(keep_open_clip(network, tokenizer, tmp_path / "kept")))
    captions = ["a red car", "Two dogs, on the grass!"]
    tokens = loaded.vocabulary.encode(captions)
    ids = tokenizer(captions)
    assert [row[row > 0].tolist() for row in ids] == [
        row[:n].tolist() for row, n in zip(tokens.ids, tokens.lengths.tolist(), strict=True)
    ]
    ours = loaded.module.encode_captions(tokens.ids, tokens.lengths)
    assert torch.allclose(ours, network.encode_text(ids), atol=1e-5)
    pixels = torch.randint(256, (2, 3, 32, 32), dtype=torch.uint8)
    theirs = network.encode_image(loaded.module.normalised(pixels))
    assert torch.allclose(loaded.module.encode_images(pixels), theirs, atol=1e-5)

"""Tiny CLIP and SigLIP folders as ``save_pretrained`` writes them: random weights, and a tokenizer of few pieces."""

import json

import torch

WORDS = ["a", "red", "blue", "car", "dog", "on", "the", "grass", "two", "tall", "tree"]
TOWER = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
CLIP_PIXELS = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True}
SIGLIP_PIXELS = {"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}


def make_clip(folder, eos_in_config=None):
    """A CLIP of two layers; ``eos_in_config=2`` is what the configurations of OpenAI's checkpoints say."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    letters = sorted(set("".join(WORDS)))
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "ca", "re", "car</w>", "red</w>"]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    merges = [("c", "a"), ("r", "e"), ("ca", "r</w>"), ("re", "d</w>")]
    CLIPTokenizer(vocab=vocabulary, merges=merges).save_pretrained(folder)
    start, end = len(pieces) - 2, len(pieces) - 1
    text = {**TOWER, "vocab_size": len(pieces), "max_position_embeddings": 200, "bos_token_id": start}
    text["eos_token_id"] = end if eos_in_config is None else eos_in_config
    vision = {**TOWER, "hidden_size": 48, "image_size": 32, "patch_size": 8}
    torch.manual_seed(1)
    network = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24, initializer_factor=5.0))
    network.save_pretrained(folder)
    CLIPImageProcessor(**CLIP_PIXELS).save_pretrained(folder)
    return network.eval()


def make_siglip(folder):
    """A SigLIP of two layers, with a Unigram tokenizer that ends each text by </s>."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    letters = sorted(set("".join(WORDS)))
    pieces = ["</s>", "<unk>", *(f"▁{word}" for word in WORDS), "▁", *letters]
    tokenizer = Tokenizer(models.Unigram([(piece, -float(n)) for n, piece in enumerate(pieces)], unk_id=1))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 0)])
    tokenizer.add_special_tokens(["</s>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "SiglipTokenizer"}))
    text = {**TOWER, "vocab_size": len(pieces), "max_position_embeddings": 64, "pad_token_id": 1}
    vision = {**TOWER, "image_size": 32, "patch_size": 8}
    torch.manual_seed(1)
    network = SiglipModel(SiglipConfig(text_config=text, vision_config=vision))
    with torch.no_grad():
        network.logit_scale.fill_(2.3)
        network.logit_bias.fill_(-4.0)
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    network.save_pretrained(folder)
    SiglipImageProcessor(**SIGLIP_PIXELS).save_pretrained(folder)
    return network.eval()


MAKE = {"clip": make_clip, "siglip": make_siglip}

"""GXN: embeddings that are matched must also suffice to write the caption and to imagine the image.

After the title and abstract of Gu, Cai, Joty, Niu and Wang, "Look, Imagine and Match: Improving Textual-Visual
Cross-Modal Retrieval with Generative Models", CVPR 2018 (https://arxiv.org/abs/1711.06420). The paper's equations were
not readable to us, so the forms below are ours; "look, write, imagine" would be a better name for them. An image has
one encoder with two embeddings, an abstract and a grounded one; a caption has two encoders:

    S(i, c)  = ( cos(v_i, t_c) + cos(u_i, s_c) ) / 2               v, t abstract; u, s grounded; trained by a hinge
    write    = mean over captions of -log P(c | u_i)               an LSTM writes the caption from the image's embedding
    imagine  = mean of |g(s_c) - x_i|^2 - log D(g(s_c), s_c)       g makes an image feature from the caption's embedding
    adversary = mean of ( -log D(x_i, s_c) - log(1 - D(g(s_c), s_c)) ) / 2          trains the discriminator D alone

x_i is the feature of the caption's image, of unit length, and -log D is Goodfellow's loss that does not saturate. The
discriminator sees the caption, so that a feature must fit it to pass as real. The score is S alone: at test nothing is
written or imagined. Left out: reinforcement learning, and imagined pixels (here: features).
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.decoder import CaptionDecoder
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import create_text_encoder
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.adversarial import ModalityDiscriminator, discriminator_loss, generator_loss
from itm_tutorial.losses.ranking import MaxOfHinges
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model
from itm_tutorial.models._writer import Writer

HALF = 0.5**0.5  # two unit vectors behind each other, times this, are one unit vector


@register_model(
    chapter="13",
    paper="gu2018gxn",
    variants={
        "gxn_match": {"write_weight": 0.0, "imagine_weight": 0.0},
        "gxn_write": {"imagine_weight": 0.0},
        "gxn_imagine": {"write_weight": 0.0},
    },
)
class GXN(Writer, Matching):
    """Two embeddings per side and their mean cosine; a decoder from the image, a feature generator from the caption.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        embed_size: numbers per abstract, and per grounded, embedding.
        word_dim: numbers per word.
        hidden_size: numbers per state of the LSTM that writes, and per hidden layer of generator and discriminator.
        write_weight: of the writing loss; 0 leaves the decoder out.
        imagine_weight: of the imagination loss; 0 leaves generator and discriminator out.
        targets: "own"; "shuffled", a control: a caption is to imagine the feature of another image of the batch.
        margin: of the hinge against the hardest negative.
    """

    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=6e-3, epochs=10)}  # as for ``vsepp``

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 128,
        word_dim: Dimension = 128,
        hidden_size: Dimension = 128,
        write_weight: Weight = 1.0,
        imagine_weight: Weight = 1.0,
        targets: Literal["own", "shuffled"] = "own",
        margin: Weight = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.dim, self.targets = embed_size, targets
        self.write_weight, self.imagine_weight = write_weight, imagine_weight
        self.image_encoder = TwoViews([GlobalProjection(image_dim, 2 * embed_size, unit=False)])
        sizes = len(vocabulary), word_dim, embed_size
        self.text_encoder = TwoViews(create_text_encoder("gru", *sizes) for _ in range(2))
        self.loss_function = MaxOfHinges(margin)
        if write_weight:  # made after the encoders, whose first weights are then those of a model that only matches
            self.first_input = nn.Linear(embed_size, word_dim)
            self.decoder = CaptionDecoder(len(vocabulary), word_dim, hidden_size)
        if imagine_weight:
            layers = nn.Linear(embed_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, image_dim)
            self.generator = nn.Sequential(*layers)
            self.discriminator = ModalityDiscriminator(image_dim + embed_size, hidden_size)

    similarity = staticmethod(cosine)

    def grounded(self, embeddings: Tensor) -> Tensor:
        """Embeddings [n, 2 dim] -> the grounded part [n, dim], of unit length."""
        return embeddings[:, self.dim :] / HALF

    def decoder_input(self, image_emb: Tensor) -> Tensor:
        """Image embeddings [n, 2 dim] -> the decoder's first input [n, word_dim]."""
        # numbers of about 1, as words have: the image is read once, and must last for a caption
        return self.first_input(self.grounded(image_emb) * self.dim**0.5)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The weighted losses that are used; "adversary" is the discriminator's own and trains nothing else."""
        features = batch.images.to(self.device, self.dtype)
        features = features if self.pixel_backbone is None else self.pixel_backbone(features)
        images, captions = self.image_encoder(features), self.encode_captions(batch)  # [n_images or n_captions, 2 dim]
        parts = {"match": self.loss_function(self.similarity(images, captions), batch.positives)}
        if self.write_weight:
            inputs = self.decoder_input(images)[batch.image_of]  # [n_captions, word_dim]
            log_p = self.decoder(inputs, batch.captions.ids, batch.captions.lengths)
            parts["write"] = -self.write_weight * log_p.mean()
        if self.imagine_weight:
            imagined, real, sentence = self.imagine(captions), self._targets(features, batch), self.grounded(captions)
            distance = (imagined - real).square().sum(1).mean()
            fooling = generator_loss(self.judge(imagined, sentence.detach()))
            parts["imagine"] = self.imagine_weight * (distance + fooling)
            judged = [self.judge(side, sentence.detach()) for side in (real, imagined.detach())]
            parts["adversary"] = discriminator_loss(*judged)
        return parts

    def imagine(self, caption_emb: Tensor) -> Tensor:
        """Caption embeddings [n_captions, 2 dim] -> imagined image features [n_captions, image_dim], of unit length."""
        if not self.imagine_weight:
            raise ItmError("this model imagines nothing: make it with an imagine_weight above 0")
        return normalize(self.generator(self.grounded(caption_emb)), dim=-1)

    def judge(self, features: Tensor, sentence: Tensor) -> Tensor:
        """Features [n, image_dim] and grounded embeddings [n, dim] -> logits [n], positive for "a real pair"."""
        return self.discriminator(torch.cat([features, sentence.to(features)], 1))

    def _targets(self, features: Tensor, batch: Batch) -> Tensor:
        """The feature that each caption is to imagine, [n_captions, image_dim]."""
        unit = normalize(features.mean(1) if features.ndim == 3 else features, dim=-1).detach()
        of_caption = batch.image_of.to(unit.device)
        if self.targets == "shuffled" and len(unit) > 1:
            of_caption = (of_caption + torch.randint(1, len(unit), ()).item()) % len(unit)  # of no caption its own
        return unit[of_caption]

    def next_tokens(self, image_emb: Tensor, prefixes: LongTensor) -> Tensor:
        """Image embeddings [n, 2 dim] and prefixes [n, t] -> log p of the next token; see ``Writer``."""
        if not self.write_weight:
            raise ItmError("this model cannot write captions: make it with a write_weight above 0")
        return self.decoder.next(self.decoder_input(image_emb), prefixes)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Everything else; separately the discriminator, which has a loss of its own."""
        if not self.imagine_weight:
            return {"main": list(self.parameters())}
        own = list(self.discriminator.parameters())
        return {"main": [weight for weight in self.parameters() if weight not in set(own)], "adversary": own}


class TwoViews(nn.ModuleList):
    """An abstract and a grounded embedding behind each other, from two encoders, or from the halves of one's output."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """What the encoders read -> [n, 2 dim], unit vectors whose halves are equally long."""
        halves = torch.cat([encoder(*inputs) for encoder in self], 1).chunk(2, 1)
        return HALF * torch.cat([normalize(half, dim=-1) for half in halves], 1)

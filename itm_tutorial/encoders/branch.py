"""One branch of a two-branch network: two layers and unit length, for an image's feature or the mean of word vectors.

Wang et al. 2016, http://slazebni.cs.illinois.edu/publications/cvpr16_structure.pdf; the batch normalisation
is that of their public code.
"""

from __future__ import annotations

from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.encoders.batch_norm import BatchNorm
from itm_tutorial.encoders.text import WordAverage


class Branch(nn.Module):
    """A linear layer, batch normalisation, ReLU, dropout, a linear layer, scaled to unit length.

    Args:
        in_dim: numbers per feature.
        hidden: numbers of the first layer.
        dim: numbers per embedding.
        dropout: the fraction of the first layer's numbers that training sets to zero.
    """

    def __init__(self, in_dim: int, hidden: int, dim: int, dropout: float = 0.0):
        super().__init__()
        first = (nn.Linear(in_dim, hidden), BatchNorm(hidden), nn.ReLU(), nn.Dropout(dropout))
        self.layers = nn.Sequential(*first, nn.Linear(hidden, dim))

    def forward(self, features: Tensor) -> Tensor:
        """Features [n, in_dim], or [n, n_regions, in_dim] (averaged) -> unit vectors [n, dim]."""
        if features.ndim == 3:
            features = features.mean(1)
        return normalize(self.layers(normalize(features, dim=-1)), dim=-1)


class AveragedWords(nn.Module):
    """The mean of a caption's fixed word vectors, read by a network.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        network: [n_captions, word_dim] -> caption embeddings [n_captions, dim].
    """

    def __init__(self, n_words: int, word_dim: int, network: nn.Module):
        super().__init__()
        self.words = WordAverage(n_words, word_dim, centre=True)
        self.network = network

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Ids int64 [n_captions, seq_len], lengths int64 [n_captions] -> embeddings [n_captions, dim]."""
        return self.network(self.words(ids, lengths))

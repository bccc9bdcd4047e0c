"""Graph matching: block cosines of each node with what it attends to, and messages of them along a graph.

Liu, Mao, Zhang, Xie, Wang and Zhang, "Graph Structured Network for Image-Text Matching", CVPR 2020. The attended vector
c = sum_k alpha_k v_k of a node is never computed. Its cosine in block b needs products of blocks alone:
<t, c>_b = sum_k alpha_k <t, v_k>_b, and |c|_b^2 = alpha' G_b alpha, with G_b the Gram matrix of the keys' blocks.
"""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn

EPS = 1e-8  # smallest length of a block: a zero block has cosine 0
SAME = 0.5  # width of a new kernel, in units of distance and of angle / pi


def attention(queries: Tensor, keys: Tensor, key_mask: Tensor | None, smooth: float) -> Tensor:
    """alpha = softmax over keys of smooth * <key, query>.

    Args:
        queries: [n_query_sets, n_queries, dim].
        keys: [n_key_sets, n_keys, dim].
        key_mask: bool [n_key_sets, n_keys], False for padding; None: no padding.
        smooth: the inverse temperature.

    Returns:
        [n_key_sets, n_keys, n_query_sets, n_queries]; it sums to one over the keys.
    """
    dots = (keys.flatten(0, 1) @ queries.flatten(0, 1).T).view(*keys.shape[:2], *queries.shape[:2])
    if key_mask is not None:
        dots = dots.masked_fill(~key_mask[..., None, None], -torch.inf)
    return (smooth * dots).softmax(1)


def block_cosines(queries: Tensor, keys: Tensor, alpha: Tensor, blocks: int) -> Tensor:
    """The cosines between the blocks of each query and those of the vector that it attends to.

    Args:
        queries: [n_query_sets, n_queries, dim]; padding is zero.
        keys: [n_key_sets, n_keys, dim].
        alpha: [n_key_sets, n_keys, n_query_sets, n_queries].
        blocks: of equal size, which the numbers of a vector are cut into.

    Returns:
        x, [n_key_sets, n_query_sets, n_queries, blocks].
    """
    cosines = []
    for q, k in zip(queries.chunk(blocks, 2), keys.chunk(blocks, 2), strict=True):  # a loop over blocks
        dots = (k.flatten(0, 1) @ q.flatten(0, 1).T).view_as(alpha)
        squared = (alpha * ((k @ k.mT) @ alpha.flatten(2)).view_as(alpha)).sum(1)
        length = squared.clamp(min=EPS**2).sqrt() * q.norm(dim=2).clamp(min=EPS)
        cosines.append((alpha * dots).sum(1) / length)  # [n_key_sets, n_query_sets, n_queries]
    return torch.stack(cosines, -1)


def word_edges(words: Tensor, mask: Tensor, heads: LongTensor | None, smooth: float) -> Tensor:
    """W_e = ||S A||_2 of a caption: similarities of neighbours, each row scaled to unit length.

    Args:
        words: [n_captions, seq_len, dim]; padding is zero.
        mask: bool [n_captions, seq_len], True for nodes.
        heads: int64 [n_captions, seq_len], the node that each node hangs on; None: every node is a neighbour.
        smooth: the inverse temperature of S = softmax(smooth * <h_i, h_j>) over the nodes j of the caption.

    Returns:
        [n_captions, seq_len, seq_len]; zero for padding.
    """
    pairs = mask[:, :, None] & mask[:, None]
    similar = (smooth * (words @ words.mT)).masked_fill(~mask[:, None], -torch.inf).softmax(-1)
    if heads is not None:
        place = torch.arange(heads.shape[1], device=heads.device)
        above = heads[..., None] == place  # [n_captions, seq_len, seq_len], True at a node's head
        pairs = pairs & (above | above.mT | (place[:, None] == place))
    kept = similar * pairs
    return kept / kept.norm(dim=-1, keepdim=True).clamp(min=EPS)


def polar(boxes: Tensor) -> Tensor:
    """Distance and angle / pi from the centre of each box to that of every other.

    Args:
        boxes: [n_images, n_regions, 4] (x0, y0, x1, y1); it is not changed.

    Returns:
        [n_images, n_regions, n_regions, 2].
    """
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    step = centre[:, None] - centre[:, :, None]  # [n_images, i, j, 2], from i to j
    return torch.stack([step.norm(dim=-1), torch.atan2(step[..., 1], step[..., 0]) / torch.pi], -1)


class LayoutKernels(nn.Module):
    """Weights of the edges between regions: Gaussian kernels over polar coordinates; their form is ours.

    Args:
        kernels: how many, each with a mean and a width per coordinate.
    """

    def __init__(self, kernels: int):
        super().__init__()
        self.mean = nn.Parameter(torch.rand(kernels, 2) * torch.tensor([1.0, 2.0]) - torch.tensor([0.0, 1.0]))
        self.width = nn.Parameter(torch.full((kernels, 2), SAME))

    def forward(self, boxes: Tensor, over: str = "neighbours") -> Tensor:
        """The weights of edges.

        Args:
            boxes: [n_images, n_regions, 4].
            over: "neighbours", so that the weights of a node's neighbours j sum to one, for each kernel; "kernels", so
                that those of the kernels do, for each pair, as in the public code.

        Returns:
            [n_images, kernels, n_regions, n_regions].
        """
        away = (polar(boxes)[:, None] - self.mean[:, None, None]) / (self.width[:, None, None].abs() + 0.05)
        return (-away.square().sum(-1) / 2).softmax(-1 if over == "neighbours" else 1)


class StructureMatch(nn.Module):
    """s = mean over nodes i of MLP( concat over k of relu( sum over j of W_e(i, j) W_k x_j + b ) ).

    Args:
        blocks: numbers per node x.
        kernels: K (8 in the paper).
        width: numbers per kernel (4 in the public code).
    """

    def __init__(self, blocks: int, kernels: int = 8, width: int = 4):
        super().__init__()
        self.kernels, hidden = kernels, kernels * width
        self.project = nn.Linear(blocks, hidden, bias=False)  # all W_k below each other
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.judge = nn.Sequential(nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def nodes(self, x: Tensor, edges: Tensor) -> Tensor:
        """What each node holds after one step of messages.

        Args:
            x: [n_images, n_captions, n_nodes, blocks].
            edges: of captions, [n_captions, n_nodes, n_nodes], the same for all kernels; or of images, [n_images,
                kernels, n_nodes, n_nodes]. The last dimension is the sender.

        Returns:
            [n_images, n_captions, n_nodes, kernels * width].
        """
        sent = self.project(x)
        if edges.ndim == 3:
            heard = torch.einsum("cts,icsh->icth", edges, sent)
        else:
            heard = torch.einsum("ikts,icskh->ictkh", edges, sent.unflatten(-1, (self.kernels, -1))).flatten(-2)
        return (heard + self.bias).relu()

    def forward(self, x: Tensor, edges: Tensor, mask: Tensor | None = None) -> Tensor:
        """The mean of the nodes' values, [n_images, n_captions].

        Args:
            x, edges: as for ``nodes``.
            mask: bool [n_captions, n_nodes], False for padding; None: no padding.
        """
        return node_mean(self.judge(self.nodes(x, edges)).squeeze(-1), mask)


def node_mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """Values [..., n_query_sets, n_nodes] and bool [n_query_sets, n_nodes] or None -> means [..., n_query_sets]."""
    return values.mean(-1) if mask is None else (values * mask).sum(-1) / mask.sum(-1).clamp(min=1)

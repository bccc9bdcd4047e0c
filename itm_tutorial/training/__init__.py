"""The training loop, samplers, checkpoints, and second stages."""

from itm_tutorial.training import siblings  # noqa: F401  it makes itself known to ``fit``

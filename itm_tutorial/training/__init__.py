"""The training loop, samplers, checkpoints, and second stages."""

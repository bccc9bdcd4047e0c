"""Drawn data sets: images and captions made from a seed, with the full truth about both. No torch."""

"""Drawn data sets: pictures and captions made from a seed, with the truth that photographs hide. No torch."""

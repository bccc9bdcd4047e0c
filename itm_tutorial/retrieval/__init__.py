"""Scores of a split, search, and what can be done with scores afterwards."""

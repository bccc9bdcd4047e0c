"""Losses as functions of a score matrix and the pairs that are right."""

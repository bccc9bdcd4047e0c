"""Exercises: checks that answer in words, hints and the package's own versions, one file a chapter."""

"""Chapter 90: the field in one evening, the literature as data."""

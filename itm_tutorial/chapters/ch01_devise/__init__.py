"""Chapter 01, DeViSE: words as a space for pictures."""

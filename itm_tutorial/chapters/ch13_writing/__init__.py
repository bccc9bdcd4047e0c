"""Chapter 13, ranking by writing."""

"""Chapter 10: Sentences."""

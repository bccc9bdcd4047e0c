"""Chapter 11: Fragments."""

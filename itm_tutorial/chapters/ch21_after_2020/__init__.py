"""Chapter 21: after 2020."""

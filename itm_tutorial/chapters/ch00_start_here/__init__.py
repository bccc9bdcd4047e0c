"""Chapter 00: retrieval in five minutes."""

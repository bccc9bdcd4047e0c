"""Chapter 14, attention before SCAN."""

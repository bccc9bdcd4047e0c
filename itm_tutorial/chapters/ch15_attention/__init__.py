"""Chapter 15, attention after SCAN."""

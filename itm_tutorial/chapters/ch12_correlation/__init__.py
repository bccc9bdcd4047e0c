"""Chapter 12, correlation and structure."""

"""Claims of chapter 12, one file per method."""

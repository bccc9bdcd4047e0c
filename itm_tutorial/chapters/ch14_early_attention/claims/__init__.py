"""Claims of chapter 14, one file per method."""

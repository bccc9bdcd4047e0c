"""Claims of chapter 10, one file per method."""

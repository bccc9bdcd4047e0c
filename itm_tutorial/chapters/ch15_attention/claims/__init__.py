"""Claims of chapter 15, one file per method."""

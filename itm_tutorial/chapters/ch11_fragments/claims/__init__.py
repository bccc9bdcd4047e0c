"""Claims of chapter 11, one file per method."""

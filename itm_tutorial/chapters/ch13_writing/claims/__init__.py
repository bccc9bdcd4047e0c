"""Claims of chapter 13, one file per method."""

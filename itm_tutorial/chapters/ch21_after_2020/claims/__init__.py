"""Claims of chapter 21, one file per method."""

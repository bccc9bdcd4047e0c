"""What the claims of chapter 13 measure, one file per method."""

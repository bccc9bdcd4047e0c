"""What the claims of chapter 12 measure, one file per method."""

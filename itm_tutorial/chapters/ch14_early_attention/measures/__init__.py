"""What the claims of chapter 14 measure, one file per method."""

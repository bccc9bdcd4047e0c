"""What the claims of chapter 15 measure, one file per method."""

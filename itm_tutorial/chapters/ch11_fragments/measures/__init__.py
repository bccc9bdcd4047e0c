"""What the claims of chapter 11 measure, one file per method that needs its own."""

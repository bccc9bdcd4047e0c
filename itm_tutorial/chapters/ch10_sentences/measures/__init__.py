"""What the claims of chapter 10 measure, one file per method that needs its own."""

"""What the claims of chapter 21 measure."""

"""Chapter 02, VSE++: the hardest negative."""

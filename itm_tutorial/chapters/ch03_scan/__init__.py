"""Chapter 03, SCAN: which word looks at which region."""

"""Chapter 04, TIMAM: finding people, birds and flowers."""

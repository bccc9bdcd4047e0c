"""The drawn scenes: things of about seventy kinds in ten places, described by a grammar."""

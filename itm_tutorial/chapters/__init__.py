"""One folder per chapter, with its exercises, figures, claims and their results; and code that all chapters share."""

"""One folder a chapter: its exercises, its figures, its claims and their kept results; and what all chapters share."""

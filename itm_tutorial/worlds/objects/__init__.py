"""The drawn objects: one thing a picture, named by its kind, and the lore: a text about those kinds."""

"""The drawn objects: images of one thing, labelled with its kind, and the lore: a text about the kinds."""

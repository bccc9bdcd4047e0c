"""The drawn people: pedestrians seen by several cameras, with two descriptions per image."""

"""The parsers of the drawn worlds: rules over the words of each world, from the text of a caption alone."""

"""The drawn people: passers-by seen by several cameras, each picture described by two writers."""

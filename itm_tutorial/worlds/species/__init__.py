"""Common to the drawn birds and flowers: classes and splits, ten descriptions per image, outlines, backdrops."""

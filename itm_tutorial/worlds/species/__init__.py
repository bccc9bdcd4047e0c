"""What the drawn birds and flowers share: classes and their splits, ten descriptions a picture, outlines, backdrops."""

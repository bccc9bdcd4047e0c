"""The drawn birds: invented species, each perched, standing, swimming or flying, with ten descriptions a picture."""

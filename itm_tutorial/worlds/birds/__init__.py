"""The drawn birds: invented species, perched, standing, swimming or flying, with ten descriptions per image."""

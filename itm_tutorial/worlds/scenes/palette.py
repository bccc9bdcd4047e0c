"""The colours that things may have and captions may name."""

COLOURS: dict[str, tuple[int, int, int]] = {  # RGB by daylight; easy to distinguish by eye
    "red": (208, 46, 46),
    "orange": (240, 140, 40),
    "yellow": (246, 212, 60),
    "green": (70, 160, 76),
    "blue": (52, 104, 200),
    "purple": (136, 72, 168),
    "pink": (242, 142, 178),
    "brown": (134, 88, 52),
    "black": (44, 44, 50),
    "grey": (140, 144, 150),
    "white": (244, 244, 238),
}

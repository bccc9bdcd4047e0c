"""Drawn scenes per second on one core, 128 pixels: making scenes and captions, and drawing.

python benchmarks/scenes.py
"""

import time

from itm_tutorial.worlds.scenes.world import make_split


def measure(n: int, image_size: int) -> tuple[float, float]:
    """Makes and draws n scenes, as ``load_corpus`` does -> seconds of making, seconds of drawing."""
    make_split("val", 1, seed=0).draw(0, image_size)  # loading happens once and is not counted
    start = time.perf_counter()
    split = make_split("train", n, seed=0)
    made = time.perf_counter() - start
    for image in range(n):
        split.draw(image, image_size)
    return made, time.perf_counter() - start - made


def main() -> None:
    n = 500
    making, drawing = measure(n, 128)
    print(f"{n / (making + drawing):.0f} scenes per second on one core")
    print(f"captions {1000 * making / n:.2f} ms per scene, drawing {1000 * drawing / n:.2f} ms")


if __name__ == "__main__":
    main()

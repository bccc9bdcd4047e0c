"""Drawn scenes per second on one core, 128 pixels: making scenes and captions, and drawing.

Drawing is also compared with writing the same pictures as PNG in one run: the quotient says the same on any machine.

python benchmarks/scenes.py
"""

import io
import time

from PIL import Image

from itm_tutorial.worlds.scenes.world import make_split


def measure(n: int, image_size: int) -> tuple[float, float, float]:
    """Makes and draws n scenes, as ``load_corpus`` does, and writes them -> seconds of making, drawing, writing."""
    make_split("val", 1, seed=0).draw(0, image_size)  # loading happens once and is not counted
    start = time.perf_counter()
    split = make_split("train", n, seed=0)
    made = time.perf_counter() - start
    pictures = [split.draw(image, image_size) for image in range(n)]
    drawn = time.perf_counter() - start
    for picture in pictures:
        Image.fromarray(picture).save(io.BytesIO(), format="png")
    return made, drawn - made, time.perf_counter() - start - drawn


def main() -> None:
    n = 500
    making, drawing, writing = measure(n, 128)
    print(f"{n / (making + drawing):.0f} scenes per second on one core")
    print(
        f"captions {1000 * making / n:.2f} ms per scene, "
        f"drawing {1000 * drawing / n:.2f} ms, {drawing / writing:.1f} times as long as writing the pictures as PNG"
    )


if __name__ == "__main__":
    main()

"""Writes the gallery, one figure per chapter, from README.md and course.toml.

python docs/gallery.py
"""

from pathlib import Path

from itm_tutorial.course.files import read_contents
from itm_tutorial.course.site.pages import gallery_page

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    file = Path(__file__).with_suffix(".md")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    file.write_text(gallery_page(read_contents(ROOT / "course.toml"), readme), encoding="utf-8")
    print(f"written to {file}")

"""Prepares or checks your own photographs.

    python data_scripts/photos.py --from DIR
    python data_scripts/photos.py --check --from DIR

README.md says what the folder holds.
"""

from itm_tutorial.data.readers.script import run

if __name__ == "__main__":
    run("photos")

"""Prepares or checks Flickr30k.

    python data_scripts/flickr30k.py --from DIR
    python data_scripts/flickr30k.py --check --from DIR

`docs/data.md` says what the folder holds, where it comes from, and on which terms.
"""

from itm_tutorial.data.readers.script import run

if __name__ == "__main__":
    run("flickr30k")

"""Prepares or checks Flickr8k.

    python data_scripts/flickr8k.py --from DIR
    python data_scripts/flickr8k.py --check --from DIR
    python data_scripts/flickr8k.py --download

`docs/data.md` says what the folder holds, where it comes from, and on which terms.
"""

from itm_tutorial.data.readers.script import run

if __name__ == "__main__":
    run("flickr8k")

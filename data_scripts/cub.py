"""Prepares or checks CUB-200-2011 with Reed's descriptions.

    python data_scripts/cub.py --from DIR
    python data_scripts/cub.py --check --from DIR
    python data_scripts/cub.py --download

`docs/data.md` says what the folder holds, where it comes from, and on which terms.
"""

from itm_tutorial.data.readers.script import run

if __name__ == "__main__":
    run("cub")

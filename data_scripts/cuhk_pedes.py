"""Prepares or checks CUHK-PEDES.

    python data_scripts/cuhk_pedes.py --from DIR
    python data_scripts/cuhk_pedes.py --check --from DIR

`docs/data.md` says what the folder holds, where it comes from, and on which terms.
"""

from itm_tutorial.data.readers.script import run

if __name__ == "__main__":
    run("cuhk_pedes")

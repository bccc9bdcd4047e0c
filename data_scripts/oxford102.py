"""Prepares or checks Oxford-102 flowers with Reed's descriptions.

    python data_scripts/oxford102.py --from DIR
    python data_scripts/oxford102.py --check --from DIR
    python data_scripts/oxford102.py --download

`docs/data.md` says what the folder holds, where it comes from, and on which terms.
"""

from itm_tutorial.data.readers.script import run

if __name__ == "__main__":
    run("oxford102")

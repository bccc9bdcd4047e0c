"""Prepares or checks published region features (SCAN's layout).

    python data_scripts/precomp.py f30k_precomp --from DIR
    python data_scripts/precomp.py f30k_precomp --check --from DIR

`docs/data.md` says what the folder holds, where it comes from, and on which terms.
"""

from itm_tutorial.data.readers.script import run

if __name__ == "__main__":
    run("f30k_precomp", "coco_precomp", "cc152k_precomp")

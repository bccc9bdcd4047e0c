"""Prepares or checks MSCOCO captions, 2014 with Karpathy's split or 2017.

    python data_scripts/coco.py --from DIR
    python data_scripts/coco.py --check --from DIR
    python data_scripts/coco.py --download
    python data_scripts/coco.py coco_2017 --from DIR

`docs/data.md` says what the folder holds, where it comes from, and on which terms.
"""

from itm_tutorial.data.readers.script import run

if __name__ == "__main__":
    run("coco", "coco_2017")

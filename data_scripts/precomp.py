"""Prepares the features that SCAN and VSE++ published: checks a folder and records where it is; copies nothing.

    python data_scripts/precomp.py f30k_precomp --from DIR
    python data_scripts/precomp.py coco_precomp --from DIR

DIR holds ``train_ims.npy``, ``train_caps.txt``, and the same of ``dev`` and of ``test`` or ``testall``. SCAN's project
page (github.com/kuanghuei/SCAN) says where to get them. The script checks every number once: f30k_precomp has about
9 GB, coco_precomp about 36 GB. Later the arrays are read in that folder, so leave them there.
"""

import argparse
import sys
from pathlib import Path

from itm_tutorial.data.readers.precomp import NAMES, prepare, read_recorded
from itm_tutorial.errors import ItmError

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="check and record features in SCAN's published layout")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--from", dest="source", type=Path, help="folder with the published files; else the last one")
    chosen = parser.parse_args()
    try:
        record = prepare(chosen.name, chosen.source)
        print(f"recorded in {record}: {read_recorded(chosen.name).about}")
    except ItmError as error:
        sys.exit(f"{chosen.name}: {error}")

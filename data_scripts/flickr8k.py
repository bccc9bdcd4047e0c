"""Prepares Flickr8k: downloads its two published archives or reads them from a folder, checks and converts them.

    python data_scripts/flickr8k.py               # downloads about 1 GB, once
    python data_scripts/flickr8k.py --from DIR

DIR holds ``Flicker8k_Dataset/`` (the photographs) and ``Flickr8k_text/`` (captions and lists; the text archive has no
folder of its own, so unpack it into one of that name). The mirrors and checksums are in
``itm_tutorial/data/readers/flickr8k.py``. Flickr8k is given out for research use only.
"""

import argparse
import sys
from pathlib import Path

from itm_tutorial.data.readers.flickr8k import load, prepare
from itm_tutorial.errors import ItmError

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="prepare Flickr8k from its published files")
    parser.add_argument("--from", dest="source", type=Path, help="folder with the published files; else downloads them")
    try:
        folder = prepare(source=parser.parse_args().source)
        print(f"prepared in {folder}: {load().about}")
    except ItmError as error:
        sys.exit(f"flickr8k: {error}")

"""Prepares Flickr8k from a folder with its published files.

    python data_scripts/flickr8k.py --from DIR

DIR holds ``Flicker8k_Dataset/`` and ``Flickr8k_text/``, as the authors' two archives unpack. Downloading is left
to you: the data set is given out for research, and its public copies move.
"""

import argparse
import sys
from pathlib import Path

from itm_tutorial.data.readers.flickr8k import prepare
from itm_tutorial.errors import ItmError

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="prepare Flickr8k from its published files")
    parser.add_argument("--from", dest="source", type=Path, required=True, help="folder with the published files")
    try:
        print(f"prepared in {prepare(parser.parse_args().source)}")
    except ItmError as error:
        sys.exit(f"flickr8k: {error}")

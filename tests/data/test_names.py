"""The names that are listed are those that can be loaded, and listing them is cheap."""

import subprocess
import sys

import itm_tutorial as itm
from itm_tutorial.data.loading import _LOADERS


def test_every_listed_corpus_can_be_loaded_and_every_other_is_listed():
    assert itm.list_corpora() == list(_LOADERS)


def test_listing_names_loads_no_torch():
    code = (
        "import sys; sys.argv = ['itm', 'list']\nfrom itm_tutorial.cli import app\n"
        "try: app()\nfinally: print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == "False", ran.stderr

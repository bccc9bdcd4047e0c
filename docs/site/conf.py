"""How Sphinx makes the site; `make site` calls it. Nothing on a page comes from the network."""

import importlib.util
import shutil
from pathlib import Path

HERE = Path(__file__).parent

project = "Image-Text Matching"
author = "the authors of itm_tutorial"
copyright = "the authors of itm_tutorial; MIT licence"
language = "en"
extensions = ["myst_nb", "sphinx_design"]
exclude_patterns = ["extra"]

html_theme = "furo"
html_title = "Image-Text Matching"
html_static_path = [str(HERE / "static")]
html_css_files = ["course.css"]
html_favicon = str(HERE / "static" / "favicon.svg")
html_copy_source = False
html_show_sourcelink = False

nb_execution_mode = "off"  # the notebooks come executed
nb_ipywidgets_js = {}  # a widget is a picture here: no script, and none from a server
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["mystnb.unknown_mime_type"]

mathjax_path = "mathjax/tex-chtml.js"  # the copy that the package sphinx-mathjax-offline brings
MATHJAX = ("tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")


def copy_mathjax(app, error):
    """Copies the script and its fonts beside the pages."""
    if error is not None or app.builder.name != "html":
        return
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if found is None:
        raise RuntimeError("MathJax is missing: pip install sphinx-mathjax-offline")
    source, target = Path(found.origin).parent / "static" / "mathjax", Path(app.outdir) / "_static" / "mathjax"
    for name in MATHJAX:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        else:
            shutil.copy(source / name, target / name)


def setup(app):
    """Called by Sphinx."""
    app.connect("build-finished", copy_mathjax)

"""The checker of built pages finds every kind of fault, and is silent on a good site."""

import pytest

from itm_tutorial.course.site.check import check_site

SKIP = '<a href="#content">Skip to content</a>'
GOOD = f"""<!doctype html><html lang="en"><head><link rel="stylesheet" href="a.css"><script src="a.js"></script></head>
<body>{SKIP}<main id="content"><h1>A</h1><h2>B</h2><h3 id="c">C</h3><h2>D</h2>
<a href="other.html#place">x</a> <a href="#c">y</a> <a href="https://example.org/">z</a>
<img src="a.png" alt="A bar of 3 and one of 5."></main></body></html>"""


@pytest.fixture
def site(tmp_path):
    for name, text in {
        "index.html": GOOD,
        "other.html": f'<html lang="en"><body>{SKIP}<h1 id="content">O</h1><p id="place">here</p></body></html>',
        "a.css": "body { background: url('b.png') }",
        "a.js": "",
        "a.png": "",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_good_site_has_no_fault(site):
    assert check_site(site) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("other.html#place", "missing.html", "links to missing.html, which does not exist"),
        ("other.html#place", "other.html#nowhere", "links to other.html#nowhere, which has no such place"),
        ('href="#c"', 'href="#d"', "links to #d, which has no such place"),
        ('src="a.js"', 'src="https://cdn.example/a.js"', "loads https://cdn.example/a.js from the network"),
        ('src="a.js"', 'src="//cdn.example/a.js"', "loads //cdn.example/a.js from the network"),
        ('href="a.css"', 'href="http://cdn.example/a.css"', "loads http://cdn.example/a.css from the network"),
        ('src="a.png"', 'src="b.png"', "loads b.png, which does not exist"),
        (' alt="A bar of 3 and one of 5."', "", "without alt text"),
        ("A bar of 3 and one of 5.", " ", "without alt text"),
        ("<h2>B</h2>", "", "jumps from level 1 to 3 at 'C'"),
        ("<h1>A</h1>", "", "has 0 headings of level 1"),
        ("<h2>D</h2>", "<h1>D</h1>", "has 2 headings of level 1"),
        (' lang="en"', "", "has no language"),
        (SKIP, "", "has no link that skips to the content"),
    ],
)
def test_each_fault_is_named_with_its_page(site, old, new, fault):
    assert old in GOOD
    (site / "index.html").write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    (found,) = check_site(site)
    assert found.startswith("index.html: ") and fault in found


@pytest.mark.parametrize(
    "rule", ["@import 'https://fonts.example/a.css';", "p { background: url(//cdn.example/a.png) }"]
)
def test_a_style_that_loads_from_the_network_is_named(site, rule):
    (site / "a.css").write_text(rule)
    (found,) = check_site(site)
    assert found.startswith("a.css: loads ")


def test_an_empty_folder_is_no_site(tmp_path):
    assert "holds no page" in check_site(tmp_path)[0]

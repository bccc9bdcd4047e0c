"""Writes the bibliography page from the tables of papers.

python docs/bibliography.py
"""

from pathlib import Path

import itm_tutorial as itm

if __name__ == "__main__":
    file = Path(__file__).with_suffix(".md")
    file.write_text(itm.literature.bibliography(), encoding="utf-8")
    print(f"written to {file}")

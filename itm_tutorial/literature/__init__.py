"""The literature as data: the survey's papers, the figures they reported, and how to cite them.

The tables lie beside this file as CSV. Figures stand there as the survey prints them; ``corrections.csv`` says which
are doubtful and why, ``dropped.csv`` which rows held none, ``paper_corrections.csv`` what is misprinted about papers,
``pairs.csv`` which rows differ in one ingredient, ``ideas.csv`` who took what from whom.
"""

from itm_tutorial.literature.catalogue import papers
from itm_tutorial.literature.citing import bibliography, bibtex, cite
from itm_tutorial.literature.relations import ideas, pairs
from itm_tutorial.literature.reported import corrections, dropped, results

__all__ = ["bibliography", "bibtex", "cite", "corrections", "dropped", "ideas", "pairs", "papers", "results"]

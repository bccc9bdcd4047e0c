"""The literature as data: the survey's papers, the results they reported, and how to cite them.

The tables are CSV files in this folder, with the results as the survey prints them. ``corrections.csv`` lists doubtful
results and the reasons, ``dropped.csv`` rows without results, ``paper_corrections.csv`` misprints about papers,
``pairs.csv`` rows that differ in one component, and ``ideas.csv`` which paper took an idea from which.
"""

from itm_tutorial.literature.catalogue import papers
from itm_tutorial.literature.citing import bibliography, bibtex, cite
from itm_tutorial.literature.relations import ideas, pairs
from itm_tutorial.literature.reported import corrections, dropped, results

__all__ = ["bibliography", "bibtex", "cite", "corrections", "dropped", "ideas", "pairs", "papers", "results"]

"""The course as a web site: executed notebooks and the pages of docs, made by Sphinx, readable without a network."""

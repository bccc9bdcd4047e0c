"""The reality check: every model of the course under one protocol, by the resumable command ``itm reality``.

``protocol`` says what is trained and measured, ``run`` trains it, ``page`` writes docs/results/reality_check.md.
"""

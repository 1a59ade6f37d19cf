"""Results in the formats that others read.

Figures come from our own scoring of answers (``read``), never from what a file claims, and no format (``formats``)
holds a statement or a human reason.
"""

"""How far to trust a judge: its error rates on responses whose truth is known.

``misaligned`` and ``aligned`` construct responses from rows and their human reasons in ways that determine whether they
are aligned; others were written and labelled by hand. ``validate`` runs a judge on both and reports.
"""

from dfar_bench.runs.validation.cases import (
    CONSTRUCTED,
    NATURAL,
    ValidationCase,
    constructed_cases,
    excluded_rows,
    natural_cases,
)
from dfar_bench.runs.validation.report import Report, Section, Slice
from dfar_bench.runs.validation.validate import measure, validate

__all__ = [
    "CONSTRUCTED",
    "NATURAL",
    "Report",
    "Section",
    "Slice",
    "ValidationCase",
    "constructed_cases",
    "excluded_rows",
    "measure",
    "natural_cases",
    "validate",
]

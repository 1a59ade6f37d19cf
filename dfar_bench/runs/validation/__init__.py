"""How far to trust a judge: its error rates on responses of which somebody has said what is right.

``misaligned`` and ``aligned`` construct responses from rows and their human reasons in ways that determine whether they
are aligned; others were written and labelled by hand; and the open answers are what real models wrote, read three times
by a language model. ``validate`` runs judges on them and reports.
"""

from dfar_bench.runs.validation.cases import (
    CONSTRUCTED,
    NATURAL,
    ValidationCase,
    constructed_cases,
    excluded_rows,
    natural_cases,
)
from dfar_bench.runs.validation.open_answers import OpenReport, People, measure_open
from dfar_bench.runs.validation.report import Report, Section, Slice
from dfar_bench.runs.validation.validate import SPLITS, Validation, measure, validate

__all__ = [
    "CONSTRUCTED",
    "NATURAL",
    "SPLITS",
    "OpenReport",
    "People",
    "Report",
    "Section",
    "Slice",
    "Validation",
    "ValidationCase",
    "constructed_cases",
    "excluded_rows",
    "measure",
    "measure_open",
    "natural_cases",
    "validate",
]

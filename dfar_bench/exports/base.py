"""What a format is.

To add one, write one file in ``formats`` that adds a ``Format`` to ``FORMATS``; see ``formats/tidy.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dfar_bench.errors import InputError
from dfar_bench.exports.result import Result
from dfar_bench.judges import Judge
from dfar_bench.registry import Registry

RELATIONSHIPS = ("first_party", "third_party", "collaborative", "other")
"""Of who evaluates to who made the model, as Every Eval Ever names them."""


@dataclass(frozen=True)
class Options:
    """What a format needs to know besides the results. None where it was not given.

    Attributes:
        judge: decided on the reasons.
        dataset_id: the benchmark's repository on the Hub.
        source_url: where the runs are described.
        organization: who ran the evaluation.
        relationship: one of ``RELATIONSHIPS``.
    """

    judge: Judge
    dataset_id: str | None = None
    source_url: str | None = None
    organization: str | None = None
    relationship: str | None = None

    def require(self, name: str, what: str) -> str:
        """Return an option that a format cannot do without.

        Raises:
            InputError: it was not given.
        """
        value = getattr(self, name)
        if not value:
            raise InputError(f"this format needs --{name.replace('_', '-')}, {what}: give it; none is made up.")
        return str(value)


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        write: results, options -> the content of files by their path in the output folder; one file if ``single``.
        check: called with the options before anything is scored; raises ``InputError`` if it cannot do with them.
        single: whether everything is in one file, which can also be printed.
    """

    name: str
    write: Callable[[Sequence[Result], Options], dict[str, bytes]]
    check: Callable[[Options], object] = lambda options: None
    single: bool = False


FORMATS: Registry[Format] = Registry("format")

"""Read the ratings that raters sent back, from the page or a spreadsheet, and refuse what does not fit the sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dfar_bench.errors import InputError
from dfar_bench.judges.human import ALIGNED, COHERENT, INCOHERENT, RATINGS, Votes
from dfar_bench.rating.spreadsheet import read_csv

MIN_RATERS = 3
_COLUMNS = ("item", "aligned", "coherent")
_RATINGS = {
    ("yes", ""): ALIGNED,
    ("yes", "yes"): ALIGNED,
    ("no", "yes"): COHERENT,
    ("no", "no"): INCOHERENT,
    ("", ""): None,
}
"""What the cells under "aligned" and "coherent" mean."""


class Sheet(Protocol):
    """What ratings must fit: the items of a sheet and its name."""

    @property
    def sheet(self) -> str:
        """Its name, which begins every item's."""

    @property
    def items(self) -> Mapping[str, object]:
        """What was rated, by item."""


@dataclass(frozen=True)
class Rater:
    """One person's ratings.

    Attributes:
        name: from the column ``rater``, else the file's name without its ending.
        ratings: item -> one of ``RATINGS``; items that were left out are not in it.
        comments: item -> comment.
    """

    name: str
    ratings: Mapping[str, str]
    comments: Mapping[str, str]


def read_raters(paths: Sequence[Path], key: Sheet, least: int = MIN_RATERS) -> list[Rater]:
    """Read the files of all raters of a sheet.

    Raises:
        InputError: a file cannot be read, rates an item twice or one that is not on the sheet, or has an answer other
            than yes or no; two files are of one rater; a rater rated nothing; there are fewer raters than ``least``.
    """
    raters: dict[str, Rater] = {}
    first_files: dict[str, Path] = {}
    for path in paths:
        rater = read_ratings(path, key)
        if rater.name in raters:
            raise InputError(f"{first_files[rater.name]} and {path} are both of rater {rater.name!r}: use one of them.")
        if not rater.ratings:
            raise InputError(f"{path} has no ratings: leave it out.")
        raters[rater.name], first_files[rater.name] = rater, path
    if len(raters) < least:
        raise InputError(f"a majority needs {least} raters, and there are {len(raters)}: add the files of more raters.")
    return list(raters.values())


def read_ratings(path: Path, key: Sheet) -> Rater:
    """Read one rater's file; see ``read_raters``."""
    lines: dict[str, int] = {}
    ratings, comments, names = {}, {}, set()
    for number, record in read_csv(path, _COLUMNS):
        where, item = f"{path}, line {number}", record["item"]
        if item not in key.items:
            raise InputError(
                f"{where}: {item!r} is not an item of sheet {key.sheet}: leave the column item as it was, or name the "
                "key of the sheet that was rated."
            )
        if item in lines:
            raise InputError(f"{where}: {item} is rated in line {lines[item]} already; keep one of the two.")
        lines[item] = number
        cells = record["aligned"].lower(), record["coherent"].lower()
        if cells not in _RATINGS:
            raise InputError(
                f"{where}: aligned is {record['aligned']!r} and coherent is {record['coherent']!r}; write yes or no "
                "under aligned, for a no also yes or no under coherent, or leave both empty."
            )
        if (rating := _RATINGS[cells]) is not None:
            ratings[item] = rating
        if comment := record.get("comment"):
            comments[item] = comment
        names.add(record.get("rater", ""))
    if len(names) > 1:
        raise InputError(f"{path} has {len(names)} raters ({', '.join(sorted(names))}): use one file per rater.")
    return Rater("".join(names) or path.stem, ratings, comments)


def count_votes(raters: Iterable[Rater], key: Sheet) -> dict[str, Votes]:
    """Count the votes on every item, in the order of the sheet."""
    counts = Counter(pair for rater in raters for pair in rater.ratings.items())
    return {item: Votes(*(counts[item, rating] for rating in RATINGS)) for item in key.items}

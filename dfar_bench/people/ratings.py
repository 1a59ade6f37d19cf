"""Read what raters gave back, from the page or from a spreadsheet, and refuse what is not an answer to the sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dfar_bench.errors import InputError
from dfar_bench.people.key import Key
from dfar_bench.people.spreadsheet import read_csv
from dfar_bench.people.votes import ALIGNED, COHERENT, INCOHERENT, Votes

MIN_RATERS = 3
_NEEDED = ("item", "aligned", "coherent")
_MEANING = {
    ("yes", ""): ALIGNED,
    ("yes", "yes"): ALIGNED,
    ("no", "yes"): COHERENT,
    ("no", "no"): INCOHERENT,
    ("", ""): None,
}


@dataclass(frozen=True)
class Rater:
    """What one person gave back.

    Attributes:
        name: the column ``rater``, or else the file's name without ending.
        ratings: item -> one of ``votes.RATINGS``; items that were left out are not in it.
        comments: item -> comment.
    """

    name: str
    ratings: Mapping[str, str]
    comments: Mapping[str, str]


def read_raters(files: Sequence[Path], key: Key, least: int = MIN_RATERS) -> list[Rater]:
    """The raters of a sheet.

    Raises:
        InputError: a file cannot be read, rates an item that is not in the sheet or twice, or answers otherwise than
            yes or no; two files are of one rater; there are fewer raters than ``least``, or one who rated nothing.
    """
    raters: dict[str, Path] = {}
    found = []
    for file in files:
        rater = read_ratings(file, key)
        if rater.name in raters:
            raise InputError(f"{raters[rater.name]} and {file} are both of rater {rater.name!r}: give one of them.")
        if not rater.ratings:
            raise InputError(f"{file} holds no rating: leave it out.")
        raters[rater.name] = file
        found.append(rater)
    if len(found) < least:
        raise InputError(
            f"{len(found)} rater{'s' * (len(found) != 1)}, but {least} are needed to speak of a majority: "
            "give the ratings of more people."
        )
    return found


def read_ratings(file: Path, key: Key) -> Rater:
    """One rater's file; see ``read_raters``."""
    lines: dict[str, int] = {}
    ratings, comments, names = {}, {}, set()
    for number, record in read_csv(file, _NEEDED):
        where, item = f"{file}, line {number}", record["item"]
        if item not in key.items:
            raise InputError(f"{where}: {item!r} is no item of the key's sheet {key.sheet}: {_wrong_sheet(item, key)}")
        if item in lines:
            raise InputError(f"{where}: {item} was rated before, in line {lines[item]}; keep one of the two.")
        lines[item] = number
        rating = _rating(record, where)
        if rating is not None:
            ratings[item] = rating
        if comment := record.get("comment"):
            comments[item] = comment
        names.add(record.get("rater", ""))
    if len(names) > 1:
        raise InputError(f"{file} is of {len(names)} raters ({', '.join(sorted(names))}): give one file a rater.")
    return Rater("".join(names) or file.stem, ratings, comments)


def counted(raters: Iterable[Rater], key: Key) -> dict[str, Votes]:
    """The votes on every item of the sheet, in its order."""
    given = Counter((item, rating) for rater in raters for item, rating in rater.ratings.items())
    return {item: Votes(given[item, ALIGNED], given[item, COHERENT], given[item, INCOHERENT]) for item in key.items}


def _rating(record: Mapping[str, str], where: str) -> str | None:
    said = record["aligned"].lower(), record["coherent"].lower()
    if said in _MEANING:
        return _MEANING[said]
    for column, answer in zip(("aligned", "coherent"), said, strict=True):
        if answer not in ("yes", "no", ""):
            raise InputError(f"{where}: {column} is {record[column]!r}; write yes or no, or leave it empty.")
    if said == ("no", ""):
        raise InputError(f"{where}: not aligned, so say under coherent whether it is an argument in itself, yes or no.")
    if said == ("yes", "no"):
        raise InputError(f"{where}: aligned but not coherent is not possible; an aligned answer argues its verdict.")
    raise InputError(f"{where}: coherent is answered but aligned is not; answer both or none.")


def _wrong_sheet(item: str, key: Key) -> str:
    other = item.partition("-")[0]
    return "give the key of that sheet." if other != key.sheet else "leave the column item as it was."

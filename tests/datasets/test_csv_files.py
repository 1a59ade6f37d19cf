"""Published CSV files, and what is refused in them."""

from __future__ import annotations

import pytest

from dfar_bench.datasets import dfar, ethos
from dfar_bench.errors import InputError

HEADER = b"Statement,Label,Reason\r\n"
VOTES = b"comment;isHate\n"


def test_texts_are_untouched() -> None:
    content = b"\xef\xbb\xbf" + HEADER + b'" I waited. ",0,"Fine.\r\nAnd patient\xc2\xa0too. "\r\n'
    assert dfar.parse(content, "x.csv") == [(" I waited. ", 0, "Fine.\r\nAnd patient\u00a0too. ")]
    content = VOTES + b'"A; quoted ""one"".";0.5\nPlain, with a comma;0.0\n'
    expected = [('A; quoted "one".', 0.5), ("Plain, with a comma", 0.0)]
    assert ethos.parse(content, "x.csv") == ethos.parse(b"\xef\xbb\xbf" + content, "x.csv") == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Statement,Reason\r\na,b\r\n", r"x\.csv has no column Label: expected Statement,Label,Reason"),
        (b"", r"x\.csv has no column Label, Reason, Statement"),
        (HEADER + b"I waited,0,Fine\r\nI lied,2,Bad\r\n", r"x\.csv, row 1: the label is '2'"),
        (HEADER + b"I waited,,Fine\r\n", "row 0: the column Label is empty"),
        (HEADER + b"  ,0,Fine\r\n", "row 0: the column Statement is empty"),
        (HEADER + b"I waited,0,\r\n", "row 0: the column Reason is empty"),
        (HEADER + b"I waited,0\r\n", "row 0: the column Reason is empty"),
        (HEADER + b"I waited,0,Fine,Good\r\n", "row 0: there are more cells than columns"),
        (HEADER + b"I waited\xff,0,Fine\r\n", r"x\.csv is not UTF-8 \(byte 32\)"),
        (HEADER + b'I waited,0,"Fine\r\n', r"x\.csv is not a well-formed CSV file"),
    ],
)
def test_bad_dfar_files(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dfar.parse(content, "x.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"comment,isHate\nOne,0.5\n", "has no column comment, isHate: expected comment;isHate"),
        (VOTES + b"One,0.5\n", "row 0: the column isHate is empty"),
        (VOTES + b"One;0.5\nTwo;much\n", "row 1: isHate is 'much', which is not a number"),
        (VOTES + b"One;1.5\n", r"row 0: isHate is 1\.5; it must be between 0 and 1"),
        (VOTES + b"One;-0.1\n", "between 0 and 1"),
        (VOTES + b"One;nan\n", "between 0 and 1"),
        (VOTES + b" ;0.5\n", "the column comment is empty"),
    ],
)
def test_bad_ethos_files(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ethos.parse(content, "x.csv")

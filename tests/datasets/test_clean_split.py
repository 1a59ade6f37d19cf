"""The clean split: nothing leaks, and the manifest is what the code makes of the published rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace

import pytest

from dfar_bench.datasets import Rows, get_dataset, rows
from dfar_bench.datasets import clean_split as clean
from dfar_bench.errors import InputError
from dfar_bench.text import normalize, words

MINI = rows("mini")


def jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b)


@pytest.mark.usefixtures("paper")
def test_the_manifest_is_reproduced_byte_for_byte() -> None:
    assert clean.manifest(rows("paper")) == clean.committed_manifest()


def test_the_manifest_holds_no_text() -> None:
    for line in clean.committed_manifest().splitlines()[1:]:
        part, source, digest, cluster = line.split(",")
        assert part in ("train", "test")
        assert source.startswith(("paper-train-", "paper-test-"))
        assert len(bytes.fromhex(digest)) == 8
        assert cluster.isdecimal()


@pytest.mark.usefixtures("paper")
def test_nothing_of_train_is_in_test() -> None:
    train, test = rows("clean")["train"], rows("clean")["test"]
    assert (len(train), len(test)) == (4331, 480)
    statements = [{normalize(row.statement) for row in part} for part in (train, test)]
    assert sum(map(len, statements)) == 4811
    published = {normalize(row.statement) for part in rows("paper").values() for row in part}
    assert set().union(*statements) == published
    assert not {row.group_id for row in train} & {row.group_id for row in test}
    # Counted once more, without the code that made the split; sets of words are the bits of an integer.
    bits: dict[str, int] = defaultdict(lambda: 1 << len(bits))
    of_train, of_test = (
        [sum(bits[word] for word in set(words(row.statement))) for row in part] for part in (train, test)
    )
    nearest = max((a & b).bit_count() / (a | b).bit_count() for a in of_test for b in of_train)
    assert nearest == pytest.approx(0.478, abs=0.001)


@pytest.mark.usefixtures("paper")
def test_domains_and_labels_are_in_test_as_in_all() -> None:
    everything = Counter((row.domain, row.label) for part in rows("clean").values() for row in part)
    test = Counter((row.domain, row.label) for row in rows("clean")["test"])
    assert len(test) == 4
    for stratum, count in everything.items():
        assert test[stratum] / 480 == pytest.approx(count / 4811, abs=0.005)


@pytest.mark.usefixtures("paper")
def test_rows_keep_their_published_texts_and_know_their_place() -> None:
    texts = {(row.statement, row.label, row.reason, row.domain) for row in clean.distinct_rows(rows("paper"))}
    place = get_dataset("clean").place
    for row in rows("clean")["test"] + rows("clean")["train"]:
        assert (row.statement, row.label, row.reason, row.domain) in texts
        part, _, number = place(row).partition(":")
        published = rows("paper")[part][int(number)]
        assert (row.statement, row.label, row.reason) == (published.statement, published.label, published.reason)


def test_a_split_of_other_rows_keeps_clusters_together() -> None:
    text = clean.manifest(MINI)
    assert text == clean.manifest(MINI)
    train, test = clean.clean_parts(MINI, text)
    assert len(train) + len(test) == 176
    assert 10 <= len(test) <= 26
    for row in test:
        of_row = set(words(row.statement))
        assert max(jaccard(of_row, set(words(other.statement))) for other in train) < clean.NEAR
        assert row.group_id not in {other.group_id for other in train}


def test_the_train_row_stands_for_a_leaked_test_row() -> None:
    leaked = replace(MINI["train"][0], row_id="x", leaked=True)
    leaky: Rows = {"train": MINI["train"], "test": (leaked, MINI["test"][0])}
    assert clean.distinct_rows(leaky) == [*MINI["train"], MINI["test"][0]]


def test_clusters_join_what_is_near_or_of_one_group() -> None:
    statements = ["a b c d e f g h", "a b c d e f x y", "a b c d w v x y", "n o p q"]
    apart = [replace(MINI["train"][0], statement=text, group_id=str(n)) for n, text in enumerate(statements)]
    assert clean.cluster_rows(apart) == [0, 0, 0, 1]
    assert clean.cluster_rows([replace(row, group_id=str(n % 3)) for n, row in enumerate(apart)]) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: "", "does not begin with the columns"),
        (lambda text: text.replace("cluster", "group", 1), "does not begin with the columns"),
        (lambda text: text.replace("\ntrain,", "\nboth,", 1), "line 2 is not part,source,hash,cluster"),
        (lambda text: text.replace(",0\n", "\n", 1), "is not part,source,hash,cluster"),
        (lambda text: text + text.splitlines()[1] + "\n", "is not the row it was made from"),
        (lambda text: text.replace("mini-train-0000", "mini-train-9999"), "is not the row it was made from"),
        (lambda text: "\n".join(text.splitlines()[:-3]) + "\n", "lacks 3 rows"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(edit: Callable[[str], str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        clean.clean_parts(MINI, edit(clean.manifest(MINI)))


def test_a_manifest_of_other_data_is_refused() -> None:
    changed = replace(MINI["train"][3], statement="It is another one.")
    other: Rows = {**MINI, "train": (*MINI["train"][:3], changed, *MINI["train"][4:])}
    with pytest.raises(InputError, match=r"line 5: row mini-train-0003 of the data"):
        clean.clean_parts(other, clean.manifest(MINI))

"""The statements on which judges are measured are nobody else's, and not those that a judge was made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dfar_bench.datasets import near_pairs, rows
from dfar_bench.datasets.clean_split import NEAR
from dfar_bench.judges.reference.corpus import corpus
from dfar_bench.judges.validation.statements import PARTS, open_statements


def near_others(others: list[str], parts: Sequence[str] = PARTS) -> list[tuple[str, str]]:
    ours = [row.statement for part in parts for row in open_statements(part)]
    near = near_pairs([*ours, *others], NEAR)
    return [((ours + others)[a], (ours + others)[b]) for a, b in zip(near.row, near.col) if a < len(ours) <= b]


def test_statements_are_balanced_and_no_group_is_in_two_parts() -> None:
    by_part = {part: open_statements(part) for part in PARTS}
    assert sum(map(len, by_part.values())) >= 250
    assert not {row.group_id for row in by_part["validate"]} & {row.group_id for row in by_part["test"]}
    for members in by_part.values():
        assert 0.45 < sum(row.label for row in members) / len(members) < 0.55
        assert min(Counter(row.group_id for row in members).values()) >= 2
    assert len({row.row_id for members in by_part.values() for row in members}) == sum(map(len, by_part.values()))


def test_statements_of_two_parts_or_two_groups_are_not_near() -> None:
    ours = [row for part in PARTS for row in open_statements(part)]
    near = near_pairs([row.statement for row in ours], NEAR)
    assert all(ours[a].group_id == ours[b].group_id for a, b in zip(near.row, near.col))


def test_statements_are_near_none_that_judges_are_made_from() -> None:
    mini = [row.statement for members in rows("mini").values() for row in members]
    pairs = [record["statement"] for record in corpus("pairs")]
    siblings = [row["statement"] for group in corpus("siblings") for row in group["rows"]]
    further = [row.statement for row in open_statements("make")]
    assert len(set(further)) == 640
    assert near_others([*mini, *pairs, *siblings, *further]) == []


def test_judges_are_made_from_statements_that_are_near_no_test_row(paper: None) -> None:
    tested = [row.statement for name in ("mini", "paper", "clean") for row in rows(name)["test"]]
    assert near_others(tested, ["make"]) == []


def test_statements_are_near_none_that_is_published(paper: None) -> None:
    published = [row.statement for name in ("paper", "clean") for part in rows(name).values() for row in part]
    assert near_others(published) == []

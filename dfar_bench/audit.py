"""What a careful user should know of a split before trusting a number: leakage, groups, duplicates, noise.

Everything is reported by row id; no text of the data leaves this module.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from dfar_bench.clean import NEAR, near_pairs
from dfar_bench.data import LABELS, Row, rows
from dfar_bench.sources import DFAR_COMMIT, DFAR_FILES, ETHOS_COMMIT, ETHOS_FILES, read_published
from dfar_bench.text import fold, words
from dfar_bench.verdicts import parse_verdict

_PUBLISHED = {"paper": (DFAR_COMMIT, DFAR_FILES), "ethos": (ETHOS_COMMIT, ETHOS_FILES)}
"""Commit and files of the splits that are used as they were published."""

_LEAST_NEARNESS = 0.3
"""How near two statements must be to be looked at: well below what counts as near, to show the distance kept."""

_ENCODING_FAULTS: dict[str, Callable[[str], object]] = {
    "mojibake": re.compile("â€|Ã[\u0080-\u00bf]|Â[\u00a0-\u00bf]").search,
    "no-break space": re.compile("\u00a0").search,
    "zero-width character": re.compile("[\u200b-\u200f\u2060\ufeff]").search,
    "line break": re.compile(r"[\r\n]").search,
    "outer white space": lambda text: text != text.strip(),
}


def audit(split: str) -> dict[str, Any]:
    """Audit a split.

    Returns:
        JSON-ready: ``files`` (of published splits), ``counts``, ``leakage``, ``nearness``, ``groups``, ``duplicates``,
        ``encoding`` and ``reasons``. Rows are named by id.
    """
    found = rows(split)
    parts = {part: part_rows for part, part_rows in found.items() if part_rows}
    report: dict[str, Any] = {"split": split}
    if split in _PUBLISHED:
        report["commit"], files = _PUBLISHED[split]
        report["files"] = {name: _file(name, sha256) for name, sha256 in files.items()}
    report["counts"] = {part: _counts(part_rows) for part, part_rows in parts.items()}
    report["leakage"] = _leakage(found["train"], found["test"])
    report["nearness"] = _nearness(found["train"], found["test"])
    report["groups"] = {part: _groups(part_rows) for part, part_rows in parts.items()}
    report["duplicates"] = {part: _duplicates(part_rows) for part, part_rows in parts.items()}
    report["encoding"] = {part: _encoding(part_rows) for part, part_rows in parts.items()}
    report["reasons"] = {part: _reasons(part_rows) for part, part_rows in parts.items()}
    return report


def _file(name: str, sha256: str) -> dict[str, Any]:
    content, path = read_published(name)
    return {
        "path": str(path),
        "sha256": sha256,
        "byte_order_mark": content.startswith(b"\xef\xbb\xbf"),
        "crlf": b"\r\n" in content,
    }


def _counts(part: Sequence[Row]) -> dict[str, Any]:
    return {
        "rows": len(part),
        "labels": {LABELS[label]: count for label, count in sorted(Counter(row.label for row in part).items())},
        "domains": dict(sorted(Counter(row.domain for row in part).items())),
        "mean_words": {
            "statement": round(sum(len(row.statement.split()) for row in part) / len(part), 1),
            "reason": round(sum(len(row.reason.split()) for row in part) / len(part), 1),
        },
    }


def _leakage(train: Sequence[Row], test: Sequence[Row]) -> dict[str, Any]:
    known = {fold(row.statement): row for row in train}
    leaked = [(row, known[fold(row.statement)]) for row in test if row.leaked]
    unleaked = Counter(row.label for row in test if not row.leaked)
    return {
        "leaked_rows": len(leaked),
        "share": round(len(leaked) / len(test), 4),
        "same_label": sum(row.label == twin.label for row, twin in leaked),
        "other_reason_bytes": sum(row.reason != twin.reason for row, twin in leaked),
        "unleaked_rows": unleaked.total(),
        "unleaked_labels": {LABELS[label]: count for label, count in sorted(unleaked.items())},
        "unleaked_majority": round(max(unleaked.values(), default=0) / max(unleaked.total(), 1), 4),
        "distinct_statements": len({fold(row.statement) for row in (*train, *test)}),
        "rows": {row.row_id: twin.row_id for row, twin in leaked},
    }


def _nearness(train: Sequence[Row], test: Sequence[Row]) -> dict[str, Any]:
    """Test rows that do not stand in train, but have a neighbour there, by the part of words they share."""
    unleaked = [row for row in test if not row.leaked]
    pairs = near_pairs([row.statement for row in (*train, *unleaked)], _LEAST_NEARNESS)
    nearest: dict[str, tuple[float, str]] = {}
    for index, one, other in zip(pairs.data, pairs.row, pairs.col):
        if one < len(train) <= other:
            row, twin = unleaked[other - len(train)], train[one]
            nearest[row.row_id] = max(nearest.get(row.row_id, (0.0, "")), (round(float(index), 3), twin.row_id))
    of_train = {row.group_id for row in train}
    return {
        "unleaked_rows_near_train": sum(index >= NEAR for index, _ in nearest.values()),
        "near": NEAR,
        "nearest": max((index for index, _ in nearest.values()), default=None),
        "groups_on_both_sides": len(of_train & {row.group_id for row in test}),  # within a file where files are apart
        "rows": {row_id: twin for row_id, (index, twin) in sorted(nearest.items()) if index >= NEAR},
    }


def _groups(part: Sequence[Row]) -> dict[str, Any]:
    """Groups of two and more, over unleaked rows."""
    kept = [row for row in part if not row.leaked]
    groups = [list(members) for _, members in groupby(kept, key=lambda row: row.group_id)]
    groups = [group for group in groups if len(group) > 1]
    return {
        "groups": len(groups),
        "rows": sum(map(len, groups)),
        "sizes": {str(size): count for size, count in sorted(Counter(map(len, groups)).items())},
        "mixed_labels": sum(len({row.label for row in group}) > 1 for group in groups),
    }


def _duplicates(part: Sequence[Row]) -> dict[str, list[list[str]]]:
    return {
        "statements": _same(part, lambda row: fold(row.statement)),
        "reasons": _same(part, lambda row: " ".join(words(row.reason))),
    }


def _same(part: Iterable[Row], key: Callable[[Row], str]) -> list[list[str]]:
    twins: dict[str, list[str]] = defaultdict(list)
    for row in part:
        if text := key(row):  # not where there is no reason
            twins[text].append(row.row_id)
    return [ids for ids in twins.values() if len(ids) > 1]


def _encoding(part: Sequence[Row]) -> dict[str, list[str]]:
    return {
        fault: [row.row_id for row in part if has(row.statement) or has(row.reason)]
        for fault, has in _ENCODING_FAULTS.items()
    }


def _reasons(part: Sequence[Row]) -> dict[str, list[str]]:
    """Rows whose reason, as the verdict parser reads it, contradicts the label or pronounces no verdict."""
    part = [row for row in part if row.reason]
    verdicts = {row.row_id: parse_verdict(row.reason) for row in part}
    return {
        "against_label": [row.row_id for row in part if verdicts[row.row_id] == 1 - row.label],
        "no_verdict": [row.row_id for row in part if verdicts[row.row_id] is None],
    }


NOISE_RULES = {
    "reason_against_label": "the reason, as the verdict parser reads it, pronounces the other verdict",
    "reason_without_verdict": "the verdict parser finds no verdict in the reason",
    "reason_repeated": "another row of the same file has the same reason, but for case and punctuation",
    "mojibake": "statement or reason holds UTF-8 that was once read as another encoding",
    "no-break space": "statement or reason holds a no-break space",
    "zero-width character": "statement or reason holds characters of no width",
    "line break": "statement or reason holds a line break",
    "outer white space": "statement or reason begins or ends with white space",
}
"""What the noise list names, and the rule behind each name. Nothing is ever corrected or left out for it."""


def noise_list(report: dict[str, Any]) -> list[tuple[str, str]]:
    """The rows of an audited split with something odd, as ``(row_id, rule)``, sorted; several rules for some rows."""
    found = []
    for part in report["counts"]:
        reasons = report["reasons"][part]
        by_rule = {
            "reason_against_label": reasons["against_label"],
            "reason_without_verdict": reasons["no_verdict"],
            "reason_repeated": [row_id for twins in report["duplicates"][part]["reasons"] for row_id in twins],
            **report["encoding"][part],
        }
        found += [(row_id, rule) for rule, row_ids in by_rule.items() for row_id in row_ids]
    return sorted(found)


def as_text(report: dict[str, Any]) -> str:
    """The report for people: counts, and the leaked rows as ranges."""
    leakage = report["leakage"]
    lines = [f"split {report['split']}"]
    for name, file in report.get("files", {}).items():
        marks = ", ".join(mark.replace("_", " ") for mark in ("byte_order_mark", "crlf") if file[mark])
        lines.append(f"  {name}: sha256 as published ({marks}), {file['path']}")
    for part, counts in report["counts"].items():
        labels = ", ".join(f"{count} {label}" for label, count in counts["labels"].items())
        domains = ", ".join(f"{count} {domain}" for domain, count in counts["domains"].items())
        words_ = counts["mean_words"]
        lines.append(
            f"  {part}: {counts['rows']} rows ({labels}; {domains}), "
            f"on average {words_['statement']} words a statement, {words_['reason']} a reason"
        )
    lines.append(
        f"leakage: {leakage['leaked_rows']} of {report['counts']['test']['rows']} test rows "
        f"({leakage['share']:.1%}) stand in train, {leakage['same_label']} with the same label"
    )
    if leakage["rows"]:
        lines.append(f"  test rows {_ranges(leakage['rows'])} (0-based)")
        lines.append(f"  {leakage['other_reason_bytes']} of them have a reason that differs in raw bytes")
    lines.append(
        f"  unleaked: {leakage['unleaked_rows']} rows ("
        + ", ".join(f"{count} {label}" for label, count in leakage["unleaked_labels"].items())
        + f"), majority {leakage['unleaked_majority']:.1%}; {leakage['distinct_statements']} distinct statements in all"
    )
    near = report["nearness"]
    lines.append(
        f"  near train (at least {near['near']:.0%} of the words in common): {near['unleaked_rows_near_train']} "
        f"unleaked rows; the nearest has {near['nearest'] or 0:.1%} in common"
        + (f"; groups on both sides: {near['groups_on_both_sides']}" if report["split"] == "clean" else "")
    )
    for part, groups in report["groups"].items():
        sizes = ", ".join(f"{count} of {size}" for size, count in groups["sizes"].items())
        lines.append(
            f"contrast groups, {part}, unleaked: {groups['groups']} over {groups['rows']} rows "
            f"({sizes}); {groups['mixed_labels']} of mixed label"
        )
    for part in report["counts"]:
        duplicates, reasons = report["duplicates"][part], report["reasons"][part]
        faults = ", ".join(f"{fault} {len(ids)}" for fault, ids in report["encoding"][part].items())
        lines += [
            f"duplicates, {part}: " + ", ".join(f"{_repeats(ids)} {texts}" for texts, ids in duplicates.items()),
            f"encoding, {part} (rows): {faults}",
            f"reasons, {part} (by the verdict parser): {len(reasons['against_label'])} against their label, "
            f"{len(reasons['no_verdict'])} without a verdict",
        ]
    return "\n".join(lines)


def _repeats(twins: list[list[str]]) -> int:
    return sum(len(ids) - 1 for ids in twins)


def _ranges(row_ids: Iterable[str]) -> str:
    numbers = sorted(int(row_id.rpartition("-")[2]) for row_id in row_ids)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)

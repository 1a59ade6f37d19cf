"""Audit of a data set: leakage, near duplicates, contrast groups, repeated texts, encoding faults, odd reasons.

Rows are reported by id; no text of the data leaves this module.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, groupby
from typing import Any

from dfar_bench.datasets import LABELS, Dataset, Row, get_dataset, near_pairs, read_published, rows
from dfar_bench.datasets.clean_split import NEAR
from dfar_bench.reading import parse_verdict
from dfar_bench.text import normalize, words

# Pairs are compared from this Jaccard index on: well below NEAR, to show how far apart train and test are.
_LEAST_NEARNESS = 0.3

_ENCODING_FAULTS: dict[str, Callable[[str], object]] = {
    "mojibake": re.compile("â€|Ã[\u0080-\u00bf]|Â[\u00a0-\u00bf]").search,
    "no-break space": re.compile("\u00a0").search,
    "zero-width character": re.compile("[\u200b-\u200f\u2060\ufeff]").search,
    "line break": re.compile(r"[\r\n]").search,
    "outer white space": lambda text: text != text.strip(),
}

NOISE_RULES = {
    "reason_against_label": "the verdict parser reads another verdict in the reason than the label",
    "reason_without_verdict": "the verdict parser finds no verdict in the reason",
    "reason_repeated": "another row of the same file has the same reason, apart from case and punctuation",
    "mojibake": "the statement or reason has UTF-8 that was decoded with another encoding",
    "no-break space": "the statement or reason has a no-break space",
    "zero-width character": "the statement or reason has a zero-width character",
    "line break": "the statement or reason has a line break",
    "outer white space": "the statement or reason begins or ends with white space",
}
"""The rules of the noise list. Nothing is corrected or left out because of them."""


def audit(name: str) -> dict[str, Any]:
    """Audit a data set.

    Returns:
        JSON-ready report: ``split`` (the name), ``counts``, ``leakage``, ``nearness``, ``groups``, ``duplicates``,
        ``encoding``, ``reasons``, and ``commit`` and ``files`` of a published data set. Rows are named by id.

    Raises:
        InputError: there is no such data set, or its files cannot be read.
    """
    dataset = get_dataset(name)
    report: dict[str, Any] = {"split": name}
    if dataset.files:
        report["commit"] = dataset.commit
        report["files"] = {file: _describe_file(dataset, file) for file in dataset.files}
    summaries: dict[str, Callable[[Sequence[Row]], dict[str, Any]]] = {
        "counts": partial(_count, dataset),
        "groups": _groups,
        "duplicates": _duplicates,
        "encoding": _encoding,
        "reasons": partial(_reasons, dataset),
    }
    for topic, summarize in summaries.items():
        report[topic] = {part: summarize(members) for part, members in rows(name).items() if members}
    report["leakage"] = _leakage(dataset, **rows(name))
    report["nearness"] = _nearness(**rows(name))
    return report


def _describe_file(dataset: Dataset, file: str) -> dict[str, Any]:
    content, path = read_published(dataset, file)
    marks = {"byte_order_mark": content.startswith(b"\xef\xbb\xbf"), "crlf": b"\r\n" in content}
    return {"path": str(path), "sha256": dataset.files[file], **marks}


def _count_labels(dataset: Dataset, members: Iterable[Row]) -> dict[str, int]:
    return {dataset.labels[label]: count for label, count in sorted(Counter(row.label for row in members).items())}


def _count(dataset: Dataset, members: Sequence[Row]) -> dict[str, Any]:
    return {
        "rows": len(members),
        "labels": _count_labels(dataset, members),
        "domains": dict(sorted(Counter(row.domain for row in members if row.domain).items())),
        "mean_words": {
            field: round(sum(len(getattr(row, field).split()) for row in members) / len(members), 1)
            for field in ("statement", "reason")
        },
    }


def _leakage(dataset: Dataset, train: Sequence[Row], test: Sequence[Row]) -> dict[str, Any]:
    by_statement = {normalize(row.statement): row for row in train}
    leaked = [(row, by_statement[normalize(row.statement)]) for row in test if row.leaked]
    labels = _count_labels(dataset, [row for row in test if not row.leaked])
    unleaked = sum(labels.values())
    return {
        "leaked_rows": len(leaked),
        "share": round(len(leaked) / len(test), 4),
        "same_label": sum(row.label == twin.label for row, twin in leaked),
        "other_reason_bytes": sum(row.reason != twin.reason for row, twin in leaked),
        "unleaked_rows": unleaked,
        "unleaked_labels": labels,
        "unleaked_majority": round(max(labels.values(), default=0) / max(unleaked, 1), 4),
        "distinct_statements": len({normalize(row.statement) for row in (*train, *test)}),
        "rows": {row.row_id: twin.row_id for row, twin in leaked},
    }


def _nearness(train: Sequence[Row], test: Sequence[Row]) -> dict[str, Any]:
    """Find test rows that are not in train but near a train row, by the Jaccard index of their words."""
    unleaked = [row for row in test if not row.leaked]
    pairs = near_pairs([row.statement for row in (*train, *unleaked)], _LEAST_NEARNESS)
    nearest: dict[str, tuple[float, str]] = {}
    for index, first, second in zip(pairs.data, pairs.row, pairs.col):
        if first < len(train) <= second:
            row, twin = unleaked[second - len(train)], train[first]
            nearest[row.row_id] = max(nearest.get(row.row_id, (0.0, "")), (round(float(index), 3), twin.row_id))
    train_groups = {row.group_id for row in train}
    return {
        "unleaked_rows_near_train": sum(index >= NEAR for index, _ in nearest.values()),
        "near": NEAR,
        "nearest": max((index for index, _ in nearest.values()), default=None),
        "groups_on_both_sides": len(train_groups & {row.group_id for row in test}),
        "rows": {row_id: twin for row_id, (index, twin) in sorted(nearest.items()) if index >= NEAR},
    }


def _groups(members: Sequence[Row]) -> dict[str, Any]:
    """Summarize the contrast groups of two or more unleaked rows."""
    unleaked = [row for row in members if not row.leaked]
    groups = [list(group) for _, group in groupby(unleaked, key=lambda row: row.group_id)]
    groups = [group for group in groups if len(group) > 1]
    return {
        "groups": len(groups),
        "rows": sum(map(len, groups)),
        "sizes": {str(size): count for size, count in sorted(Counter(map(len, groups)).items())},
        "mixed_labels": sum(len({row.label for row in group}) > 1 for group in groups),
    }


def _duplicates(members: Sequence[Row]) -> dict[str, list[list[str]]]:
    row_ids: dict[str, dict[str, list[str]]] = {"statements": defaultdict(list), "reasons": defaultdict(list)}
    for row in members:
        row_ids["statements"][normalize(row.statement)].append(row.row_id)
        if reason := " ".join(words(row.reason)):  # a data set may have no reasons
            row_ids["reasons"][reason].append(row.row_id)
    return {field: [ids for ids in by_text.values() if len(ids) > 1] for field, by_text in row_ids.items()}


def _encoding(members: Sequence[Row]) -> dict[str, list[str]]:
    faults = _ENCODING_FAULTS.items()
    return {name: [row.row_id for row in members if any(map(has, (row.statement, row.reason)))] for name, has in faults}


def _reasons(dataset: Dataset, members: Sequence[Row]) -> dict[str, list[str]]:
    """List rows whose reason contradicts the label or names no verdict; the verdict parser knows DFAR's labels only."""
    verdicts = {row: parse_verdict(row.reason) for row in members if row.reason and dataset.labels == LABELS}
    return {
        "against_label": [row.row_id for row, verdict in verdicts.items() if verdict not in (None, row.label)],
        "no_verdict": [row.row_id for row, verdict in verdicts.items() if verdict is None],
    }


def noise_list(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Return every (row id, rule of ``NOISE_RULES``) pair of an audit, sorted."""
    pairs = []
    for part, reasons in report["reasons"].items():
        by_rule = {
            "reason_against_label": reasons["against_label"],
            "reason_without_verdict": reasons["no_verdict"],
            "reason_repeated": chain(*report["duplicates"][part]["reasons"]),
            **report["encoding"][part],
        }
        pairs += [(row_id, rule) for rule, row_ids in by_rule.items() for row_id in row_ids]
    return sorted(pairs)


def as_text(report: dict[str, Any]) -> str:
    """Format an audit for reading: counts, and the leaked rows as ranges."""
    leakage, near = report["leakage"], report["nearness"]
    # Groups of published data sets are numbered within a file, so none can be on both sides.
    shared = "" if "files" in report else f"; contrast groups in train and test: {near['groups_on_both_sides']}"
    lines = [f"split {report['split']}"]
    for name, file in report.get("files", {}).items():
        marks = ["", *(mark.replace("_", " ") for mark in ("byte_order_mark", "crlf") if file[mark])]
        lines.append(f"  {name}: sha256 as published{', '.join(marks)}; {file['path']}")
    for part, counts in report["counts"].items():
        contents = "; ".join(filter(None, (_listed(counts["labels"]), _listed(counts["domains"]))))
        means = ", ".join(f"{mean} per {field}" for field, mean in counts["mean_words"].items() if mean)
        lines.append(f"  {part}: {counts['rows']} rows ({contents}); mean number of words: {means}")
    lines.append(
        f"leakage: {leakage['leaked_rows']} of {report['counts']['test']['rows']} test rows "
        f"({leakage['share']:.1%}) are also in train, {leakage['same_label']} with the same label"
    )
    if leakage["rows"]:
        others = leakage["other_reason_bytes"]
        lines.append(f"  test rows {_ranges(leakage['rows'])} (from 0); {others} of them have another reason in train")
    lines += [
        f"  unleaked: {leakage['unleaked_rows']} rows ({_listed(leakage['unleaked_labels'])}), majority "
        f"{leakage['unleaked_majority']:.1%}; {leakage['distinct_statements']} distinct statements in train and test",
        f"  near train (at least {near['near']:.0%} of the words in common): {near['unleaked_rows_near_train']} "
        f"unleaked rows; the nearest has {near['nearest'] or 0:.1%} in common{shared}",
    ]
    for part, groups in report["groups"].items():
        sizes = _listed({f"of size {size}": count for size, count in groups["sizes"].items()}) or "none"
        lines.append(
            f"contrast groups, {part}, unleaked: {groups['groups']} with {groups['rows']} rows ({sizes}); "
            f"{groups['mixed_labels']} have mixed labels"
        )
    for part, reasons in report["reasons"].items():
        repeats = {text: sum(len(ids) - 1 for ids in twins) for text, twins in report["duplicates"][part].items()}
        faults = ", ".join(f"{fault} {len(ids)}" for fault, ids in report["encoding"][part].items())
        lines += [f"duplicates, {part}: {_listed(repeats)}", f"encoding, {part} (rows): {faults}"]
        if report["counts"][part]["mean_words"]["reason"]:
            lines.append(
                f"reasons, {part} (by the verdict parser): {len(reasons['against_label'])} contradict the label, "
                f"{len(reasons['no_verdict'])} name no verdict"
            )
    return "\n".join(lines)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _ranges(row_ids: Iterable[str]) -> str:
    numbers = sorted(int(row_id.rpartition("-")[2]) for row_id in row_ids)
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)

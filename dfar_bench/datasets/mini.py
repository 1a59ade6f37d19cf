"""``mini``: statements written for this project and shipped with it, for trying things out without a network."""

from __future__ import annotations

from importlib import resources

import jsonlines

from dfar_bench.datasets.base import DATASETS, Dataset, Row, Rows, mark


def _read() -> Rows:
    with (resources.files("dfar_bench.datasets") / "mini.jsonl").open(encoding="utf-8") as file:
        records = list(jsonlines.Reader(file))
    parts: dict[str, list[Row]] = {"train": [], "test": []}
    for record in records:
        part = parts[record["split"]]
        part.append(
            Row(
                dataset="mini",
                row_id=f"mini-{record['split']}-{len(part):04d}",
                statement=record["statement"],
                label=record["label"],
                reason=record["reason"],
                domain=record["domain"],
                group_id=f"mini-{record['group']}",
            )
        )
    return mark(parts["train"], parts["test"])


DATASETS.add(
    Dataset(
        name="mini",
        task="dfar_mini",
        title="Mini",
        description="52 statements written for this project, for trying things out. They never stand in for DFAR.",
        read=_read,
        licence="MIT",
        examples_from="mini",
        publishable=True,
    )
)

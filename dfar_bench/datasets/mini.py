"""``mini``: statements written for this project and shipped with it, for trying things out without a network."""

from __future__ import annotations

from dfar_bench.datasets.base import DATASETS, Dataset, Row, Rows, mark
from dfar_bench.files import packaged_jsonl


def _read() -> Rows:
    parts: dict[str, list[Row]] = {"train": [], "test": []}
    for record in packaged_jsonl(__package__, "mini.jsonl"):
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
        trains=True,
        publishable=True,
    )
)

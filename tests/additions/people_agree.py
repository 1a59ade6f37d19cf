"""A metric in one entry: the share of people who agree with the verdict."""

from dfar_bench.scoring.metrics import METRICS, Metric

METRICS.add(
    Metric(
        "people_agree",
        kind="cls",
        item=lambda answer: answer.row.shares[answer.predicted] if answer.row.shares else None,
        title="People agree",
        description="mean share of people who agree with the verdict",
        higher_is_better=True,
        column=6,
    )
)

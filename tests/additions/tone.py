"""A data set in one file: three labels, and the share of people for each."""

from dfar_bench.datasets.base import DATASETS, Dataset, Row, Rows, mark

_SHARES = {"Thank you": (0.9, 0.1, 0.0), "Close the door": (0.1, 0.7, 0.2), "Get lost": (0.0, 0.1, 0.9)}
_TO = ("neighbour", "teacher", "driver", "nurse", "waiter", "guest", "cook", "clerk")


def _read() -> Rows:
    requests = [(opening, shares, to) for to in _TO for opening, shares in _SHARES.items()]
    rows = [
        Row(
            dataset="tone",
            row_id=f"tone-test-{number:04d}",
            statement=f"{opening}, said to the {to}.",
            label=shares.index(max(shares)),
            group_id=f"tone-g{number // 3}",
            shares=shares,
        )
        for number, (opening, shares, to) in enumerate(requests)
    ]
    return mark((), rows)


DATASETS.add(
    Dataset(
        name="tone",
        task="tone",
        title="Tone",
        description="24 short requests.",
        read=_read,
        labels=("polite", "neutral", "rude"),
        question="Is the following request polite, neutral or rude?",
        kinds=("cls",),
        licence="MIT",
        publishable=True,
    )
)

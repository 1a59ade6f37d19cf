"""A training mode in one entry: labels and reasons of half of the rows, for a try."""

from dfar_bench.training.modes import MODES, Mode, train_rows

MODES.add(
    Mode(
        "half",
        title="Half",
        learns="labels and reasons of every other row",
        condition="reason",
        rows=lambda dataset, drop_leaked: train_rows(dataset, drop_leaked)[::2],
    )
)

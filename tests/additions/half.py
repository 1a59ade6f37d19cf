"""A training mode in one entry: labels and reasons of half of the rows, for a try."""

from dfar_bench.training.modes import MODES, Mode, gold_text, train_rows

MODES.add(
    Mode(
        "half",
        title="Half",
        learns="labels and reasons of every other row",
        text=gold_text("reason"),
        rows=lambda options: train_rows(options)[::2],
    )
)

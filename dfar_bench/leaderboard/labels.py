"""Where the names of points stand in a chart, so that no two of them, and no name and point, lie upon each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 6.6, 13.0
"""Of a letter of the charts' small type, about."""

_REACH = 9.0
"""From a point to its name."""

_SHIFTS = ((0,), (-14, 14, -28, 28), (-42, 42, -56, 56, -70, 70, -84, 84))
"""Up and down, tried at the right of a point and then at the left, the near ones on both sides first."""


@dataclass(frozen=True, slots=True)
class Label:
    """A name at a place; ``led`` if a line should lead to it from its point."""

    x: float
    y: float
    anchor: str
    text: str
    led: bool = False


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def place_labels(
    points: Sequence[tuple[float, float]], names: Sequence[str], bounds: Box, taken: Sequence[Box] = ()
) -> list[Label | None]:
    """Place the names of points, the first ones first; None where there is no room.

    Args:
        bounds: the box that holds all names.
        taken: boxes that no name may touch.
    """
    boxes = [*taken, *((x - 6, y - 6, x + 6, y + 6) for x, y in points)]
    labels: list[Label | None] = []
    for (x, y), name in zip(points, names, strict=True):
        chosen = None
        for label in _candidates(x, y, name):
            box = _box(label)
            if _inside(box, bounds) and not any(_touch(box, other) for other in boxes):
                chosen = label
                boxes.append(box)
                break
        labels.append(chosen)
    return labels


def spread(places: Sequence[float], least: float) -> list[float]:
    """Move places apart, as little as that needs, until neighbours are ``least`` apart; their order stays."""
    moved = list(places)
    for before, at in zip(order := sorted(range(len(places)), key=lambda at: places[at]), order[1:]):
        moved[at] = max(moved[at], moved[before] + least)
    return moved


def _candidates(x: float, y: float, name: str) -> list[Label]:
    return [
        Label(x + side * _REACH, y + 4 + shift, anchor, name, led=abs(shift) > 14)
        for shifts in _SHIFTS
        for side, anchor in ((1, "start"), (-1, "end"))
        for shift in shifts
    ]


def _box(label: Label) -> Box:
    width = WIDTH * len(label.text)
    left = label.x if label.anchor == "start" else label.x - width
    return (left, label.y - HEIGHT + 3, left + width, label.y + 3)


def _inside(box: Box, bounds: Box) -> bool:
    return box[0] >= bounds[0] and box[1] >= bounds[1] and box[2] <= bounds[2] and box[3] <= bounds[3]


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]

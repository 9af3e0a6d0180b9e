"""The lines of the pyramid, from each view to those that read it, drawn so that they can be followed.

Lines that skip a step pass through the gaps between its boxes, so that no line crosses a name.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports.lineage import Node

GAP = 16


@dataclass(frozen=True)
class Box:
    """One view; `lines` is its name, broken at underscores to fit."""

    node: Node
    number: int
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True)
class Line:
    """A path and the numbers of the two boxes that it joins."""

    path: str
    reader: int
    read: int


def lines(boxes: Mapping[str, Box], rows: Sequence[Sequence[str]], reads: Sequence[tuple[str, str]]) -> Iterator[Line]:
    """One line per read, from the top of the box that is read to the foot of its reader; rows from the bottom."""
    row_of = {name: at for at, row in enumerate(rows) for name in row}
    upward = [(reader, read) for reader, read in reads if row_of[read] < row_of[reader]]
    leaves = _ports(boxes, [(read, reader) for reader, read in upward])
    enters = _ports(boxes, upward)
    used: dict[tuple[int, float], int] = defaultdict(int)
    for reader, read in upward:
        x, end = leaves[read, reader], enters[reader, read]
        y = boxes[read].y
        path = f"M{x:.1f} {y:.1f}"
        first, last = row_of[read] + 1, row_of[reader]
        for at in range(first, last):
            ideal = x + (end - x) / (last - at + 1)
            gap = _nearest_gap([boxes[name] for name in rows[at]], ideal)
            nudge = (used[at, gap] + 1) // 2 * (2.5 if used[at, gap] % 2 else -2.5)
            used[at, gap] += 1
            box = boxes[rows[at][0]]
            path += _curve(x, y, gap + nudge, box.y + box.height) + f"V{box.y:.1f}"
            x, y = gap + nudge, box.y
        below = boxes[reader].y + boxes[reader].height
        yield Line(path + _curve(x, y, end, below), boxes[reader].number, boxes[read].number)


def _ports(boxes: Mapping[str, Box], pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """The x of each line's end on the edge of a box: side by side, in the order of the lines' other ends."""
    ends: dict[str, list[str]] = defaultdict(list)
    for here, there in pairs:
        ends[here].append(there)
    indexes = {}
    for here, others in ends.items():
        box = boxes[here]
        for at, there in enumerate(sorted(others, key=lambda name: boxes[name].middle)):
            indexes[here, there] = box.x + box.width * (0.2 + 0.6 * (at + 0.5) / len(others))
    return indexes


def _nearest_gap(row: Sequence[Box], x: float) -> float:
    gaps = [row[0].x - GAP / 2, *(box.x + box.width + GAP / 2 for box in row)]
    return min(gaps, key=lambda gap: abs(gap - x))


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    bend = (y + to_y) / 2
    return f"C{x:.1f} {bend:.1f} {to_x:.1f} {bend:.1f} {to_x:.1f} {to_y:.1f}"

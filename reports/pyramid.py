"""The picture of the run: one step of the ziggurat per layer, a box per view, a line per read.

Only geometry is computed here, in the picture's own units; the template draws it. Lines that skip a step
pass through the gaps between its boxes, so that no line crosses a name.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports import lineage
from reports.lineage import Node
from reports.model import LAYERS, RunReport

WIDTH = 1160
INSET = 52
GAP = 16
LINE_HEIGHT = 14
LETTER = 6.4
MOST_IN_A_ROW = 9
WIDEST_BOX = 190
BETWEEN_STEPS, HEADING, ROW_SPACE = 40, 26, 30

Slots = Mapping[str, "Box"]


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
class Step:
    """One layer of the ziggurat, the ground its boxes stand on."""

    layer: str
    views: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    path: str
    reader: int
    read: int


@dataclass(frozen=True)
class Pyramid:
    width: int
    height: float
    steps: tuple[Step, ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def pyramid(report: RunReport) -> Pyramid:
    """Lay the views out, the widest step at the bottom; the same views in the same order, the same picture."""
    found = lineage.nodes(report)
    reads = [(a, b) for a, b in lineage.edges(report) if a in found and b in found]
    rows = list(_rows(found, reads))
    ordered = _ordered([[node.address for node in row] for _, row in rows], reads)
    steps, boxes = _stack([layer for layer, _ in rows], ordered, found)
    height = max((step.y + step.height for step in steps), default=0)
    return Pyramid(WIDTH, height, tuple(steps), tuple(boxes.values()), tuple(_lines(boxes, ordered, reads)))


def _rows(found: Mapping[str, Node], reads: Sequence[tuple[str, str]]) -> Iterator[tuple[str, list[Node]]]:
    """From the bottom: a layer takes a second row when its views read each other, or are too many."""
    for layer in LAYERS:
        within = [(a, b) for a, b in reads if found[a].layer == found[b].layer == layer]
        depth = dict.fromkeys((node.address for node in found.values() if node.layer == layer), 0)
        for _ in depth:
            for reader, read in within:
                depth[reader] = min(max(depth[reader], depth[read] + 1), len(depth) - 1)
        for level in sorted(set(depth.values())):
            row = [found[address] for address, at in depth.items() if at == level]
            rows = -(-len(row) // MOST_IN_A_ROW)
            size = -(-len(row) // rows)
            for start in range(0, len(row), size):
                yield layer, row[start : start + size]


def _ordered(rows: list[list[str]], reads: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Put each view near the middle of those it reads and those that read it: fewer lines cross."""
    beside: dict[str, list[str]] = defaultdict(list)
    for reader, read in reads:
        beside[reader].append(read)
        beside[read].append(reader)
    place = {name: (at + 0.5) / len(row) for row in rows for at, name in enumerate(row)}

    def pull(name: str) -> float:
        near = [place[other] for other in beside[name]]
        return sum(near) / len(near) if near else place[name]

    for _ in range(6):
        for row in [*rows, *reversed(rows)]:
            row.sort(key=pull)
            place.update({name: (at + 0.5) / len(row) for at, name in enumerate(row)})
    return rows


def _stack(
    layers: Sequence[str], rows: Sequence[Sequence[str]], found: Mapping[str, Node]
) -> tuple[list[Step], dict[str, Box]]:
    """Steps and boxes, from the top of the picture down."""
    steps: list[Step] = []
    boxes: dict[str, Box] = {}
    numbers = {address: number for number, address in enumerate(found)}
    present = list(dict.fromkeys(reversed(layers)))
    y = 0.0
    for layer in present:
        inset = INSET * (len(present) - 1 - present.index(layer))
        top, width = y, WIDTH - 2 * inset
        y += HEADING
        mine = [row for at, row in zip(layers, rows, strict=True) if at == layer]
        for row in reversed(mine):
            placed = _row_of_boxes(row, found, numbers, y, width)
            boxes.update({box.node.address: box for box in placed})
            y += placed[0].height + ROW_SPACE
        y += GAP - ROW_SPACE
        steps.append(Step(layer, sum(map(len, mine)), inset, top, width, y - top))
        y += BETWEEN_STEPS
    return steps, boxes


def _row_of_boxes(
    row: Sequence[str], found: Mapping[str, Node], numbers: Mapping[str, int], y: float, width: float
) -> list[Box]:
    wide = min((width - GAP * (len(row) + 1)) / len(row), WIDEST_BOX)
    left = (WIDTH - wide * len(row) - GAP * (len(row) - 1)) / 2
    texts = [broken(found[name].short_name, int((wide - 16) / LETTER)) for name in row]
    height = max(map(len, texts)) * LINE_HEIGHT + 30
    return [
        Box(found[name], numbers[name], left + at * (wide + GAP), y, wide, height, text)
        for at, (name, text) in enumerate(zip(row, texts, strict=True))
    ]


def broken(name: str, letters: int, most: int = 3) -> tuple[str, ...]:
    """A name over several lines, broken after underscores, cut with an ellipsis where it can't fit."""
    lines = [""]
    for part in name.replace("_", "_\n").split("\n"):
        if lines[-1] and len(lines[-1]) + len(part) > letters:
            lines.append("")
        lines[-1] += part
    kept = lines[:most] if len(lines) <= most else [*lines[: most - 1], lines[most - 1] + "…"]
    return tuple(line if len(line) <= letters + 1 else line[:letters] + "…" for line in kept)


def _lines(boxes: Slots, rows: Sequence[Sequence[str]], reads: Sequence[tuple[str, str]]) -> Iterator[Line]:
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


def _ports(boxes: Slots, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Where on a box's edge each of its lines ends: side by side, in the order of the other ends."""
    ends: dict[str, list[str]] = defaultdict(list)
    for here, there in pairs:
        ends[here].append(there)
    places = {}
    for here, others in ends.items():
        box = boxes[here]
        for at, there in enumerate(sorted(others, key=lambda name: boxes[name].middle)):
            places[here, there] = box.x + box.width * (0.2 + 0.6 * (at + 0.5) / len(others))
    return places


def _nearest_gap(row: Sequence[Box], x: float) -> float:
    gaps = [row[0].x - GAP / 2, *(box.x + box.width + GAP / 2 for box in row)]
    return min(gaps, key=lambda gap: abs(gap - x))


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    bend = (y + to_y) / 2
    return f"C{x:.1f} {bend:.1f} {to_x:.1f} {bend:.1f} {to_x:.1f} {to_y:.1f}"

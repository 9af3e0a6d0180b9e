"""The picture of the run: one step of the ziggurat per layer, a box per view, a line per read.

Only geometry is computed here, in the picture's own units; the template draws it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from definitions.layers import LAYERS
from reports import lineage
from reports.lineage import Node
from reports.model import RunReport
from reports.routes import GAP, Box, Line, lines

WIDTH = 1160
INSET = 52
LINE_HEIGHT = 14
LETTER = 6.4
MOST_IN_A_ROW = 9
WIDEST_BOX = 190
BETWEEN_STEPS, HEADING, ROW_SPACE = 40, 26, 30


@dataclass(frozen=True)
class Step:
    """One layer of the ziggurat: the area on which the boxes of its views are drawn."""

    layer: str
    views: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Pyramid:
    width: int
    height: float
    steps: tuple[Step, ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def pyramid(report: RunReport) -> Pyramid:
    """The layout, the widest step at the bottom; the same views in the same order give the same picture."""
    nodes = lineage.nodes(report)
    reads = [(a, b) for a, b in lineage.edges(report) if a in nodes and b in nodes]
    rows = list(_rows(nodes, reads))
    ordered = _ordered([[node.address for node in row] for _, row in rows], reads)
    steps, boxes = _stack([layer for layer, _ in rows], ordered, nodes)
    height = max((step.y + step.height for step in steps), default=0)
    return Pyramid(WIDTH, height, tuple(steps), tuple(boxes.values()), tuple(lines(boxes, ordered, reads)))


def _rows(nodes: Mapping[str, Node], reads: Sequence[tuple[str, str]]) -> Iterator[tuple[str, list[Node]]]:
    """From the bottom: a layer has a second row when its views read each other, or are too many."""
    for layer in LAYERS:
        within = [(a, b) for a, b in reads if nodes[a].layer == nodes[b].layer == layer]
        depth = dict.fromkeys((node.address for node in nodes.values() if node.layer == layer), 0)
        for _ in depth:
            for reader, read in within:
                depth[reader] = min(max(depth[reader], depth[read] + 1), len(depth) - 1)
        for level in sorted(set(depth.values())):
            row = [nodes[address] for address, at in depth.items() if at == level]
            rows = -(-len(row) // MOST_IN_A_ROW)
            size = -(-len(row) // rows)
            for start in range(0, len(row), size):
                yield layer, row[start : start + size]


def _ordered(rows: list[list[str]], reads: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Each view is moved near the middle of those that it reads and that read it, so that fewer lines cross."""
    beside: dict[str, list[str]] = defaultdict(list)
    for reader, read in reads:
        beside[reader].append(read)
        beside[read].append(reader)
    index = {name: (at + 0.5) / len(row) for row in rows for at, name in enumerate(row)}

    def pull(name: str) -> float:
        near = [index[other] for other in beside[name]]
        return sum(near) / len(near) if near else index[name]

    for _ in range(6):
        for row in [*rows, *reversed(rows)]:
            row.sort(key=pull)
            index.update({name: (at + 0.5) / len(row) for at, name in enumerate(row)})
    return rows


def _stack(
    layers: Sequence[str], rows: Sequence[Sequence[str]], nodes: Mapping[str, Node]
) -> tuple[list[Step], dict[str, Box]]:
    """Steps and boxes, from the top of the picture down."""
    steps: list[Step] = []
    boxes: dict[str, Box] = {}
    numbers = {address: number for number, address in enumerate(nodes)}
    present = list(dict.fromkeys(reversed(layers)))
    y = 0.0
    for layer in present:
        inset = INSET * (len(present) - 1 - present.index(layer))
        top, width = y, WIDTH - 2 * inset
        y += HEADING
        mine = [row for at, row in zip(layers, rows, strict=True) if at == layer]
        for row in reversed(mine):
            placed = _row_of_boxes(row, nodes, numbers, y, width)
            boxes.update({box.node.address: box for box in placed})
            y += placed[0].height + ROW_SPACE
        y += GAP - ROW_SPACE
        steps.append(Step(layer, sum(map(len, mine)), inset, top, width, y - top))
        y += BETWEEN_STEPS
    return steps, boxes


def _row_of_boxes(
    row: Sequence[str], nodes: Mapping[str, Node], numbers: Mapping[str, int], y: float, width: float
) -> list[Box]:
    wide = min((width - GAP * (len(row) + 1)) / len(row), WIDEST_BOX)
    left = (WIDTH - wide * len(row) - GAP * (len(row) - 1)) / 2
    texts = [broken(nodes[name].short_name, int((wide - 16) / LETTER)) for name in row]
    height = max(map(len, texts)) * LINE_HEIGHT + 30
    return [
        Box(nodes[name], numbers[name], left + at * (wide + GAP), y, wide, height, text)
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

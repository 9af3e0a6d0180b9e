"""The result of a proof as its certificate tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from definitions.durations import instant_text
from jobs.leak_test.compare import Change
from jobs.leak_test.rebuild import Rebuilt
from jobs.leak_test.sample import ROW, Sample
from jobs.leak_test.scenarios import Perturbation, Scenario
from jobs.spines.spine import LABEL_TIME
from reports.training_set import LeakTestChange, LeakTestInstant, LeakTestResult

_TOLD = 20


def told(
    sample: Sample,
    worlds: Sequence[Scenario],
    rebuilt: Rebuilt,
    found: Mapping[Perturbation, Sequence[Change]],
    *,
    columns: int,
    is_stale: bool,
    made_at: str,
    seconds: float,
) -> LeakTestResult:
    """found: the changes under each poison; columns: how many were compared."""
    every = [(poison, change) for poison, each in found.items() for change in each]
    rows = sample.rows.num_rows
    return LeakTestResult(
        verdict="broken" if every else "held" if rows else "nothing to compare",
        poisons=tuple(poison.value for poison in found),
        instants=tuple(_instant(at, sample, worlds, rebuilt) for at in sample.instants_us),
        entities=sample.entities,
        rows=rows,
        cells=rows * columns * len(found),
        facts={key: each.facts for key, each in sorted(rebuilt.found.items())},
        changed_cells=len(every),
        changes=tuple(_change(sample, poison, change) for poison, change in _first(every)),
        is_stale=is_stale,
        made_at=made_at,
        seconds=seconds,
    )


def _instant(at: int, sample: Sample, worlds: Sequence[Scenario], rebuilt: Rebuilt) -> LeakTestInstant:
    """Facts that could not be known at a label time; where snapshots and facts differ in that, the greater number."""
    numbers = [world.number for world in worlds if world.label_us == at]
    unknowable = {
        key: max(each.unknowable[number] for number in numbers if number in each.unknowable)
        for key, each in sorted(rebuilt.found.items())
        if any(number in each.unknowable for number in numbers)
    }
    rows = sample.rows[LABEL_TIME].cast(pa.int64()).to_pylist().count(at)
    return LeakTestInstant(instant_text(at), rows=rows, poisoned=unknowable)


def _change(sample: Sample, poison: Perturbation, change: Change) -> LeakTestChange:
    row = sample.rows.filter(pa.compute.equal(sample.rows[ROW], change.row)).select([*sample.keys]).to_pylist()[0]
    at = sample.rows[LABEL_TIME].cast(pa.int64())[change.row].as_py()
    return LeakTestChange(
        change.column,
        keys=", ".join(f"{name}={value}" for name, value in row.items()),
        label_time=instant_text(at),
        poison=poison.value,
        stored=_text(change.stored),
        rebuilt=_text(change.rebuilt),
    )


def _text(value: Any) -> str:
    return "null" if value is None else str(value)


def _first(every: Sequence[tuple[Perturbation, Change]]) -> list[tuple[Perturbation, Change]]:
    """The first change of each column, then others: it is columns that leak."""
    of_column: dict[str, tuple[Perturbation, Change]] = {}
    for each in every:
        of_column.setdefault(each[1].column, each)
    firsts = list(of_column.values())
    return [*firsts, *(each for each in every if each not in firsts)][: max(_TOLD, len(firsts))]

"""The result of a leak test as its certificate holds it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from definitions.durations import instant_text
from jobs.leak_test.rebuild import Rebuilt
from jobs.leak_test.sample import ROW, Change, Sample
from jobs.leak_test.scenarios import Perturbation, Scenario
from jobs.spines.spine import LABEL_TIME
from reports.training_set import LeakTestChange, LeakTestInstant, LeakTestResult

_SHOWN = 20


def result_of(
    sample: Sample,
    scenarios: Sequence[Scenario],
    rebuilt: Rebuilt,
    changes: Mapping[Perturbation, Sequence[Change]],
    *,
    columns: int,
    is_stale: bool,
    made_at: str,
    seconds: float,
) -> LeakTestResult:
    """changes: those under each perturbation; columns: how many were compared."""
    all_changes = [(perturbation, change) for perturbation, part in changes.items() for change in part]
    rows = sample.rows.num_rows
    return LeakTestResult(
        verdict="broken" if all_changes else "held" if rows else "nothing to compare",
        perturbations=tuple(perturbation.value for perturbation in changes),
        instants=tuple(_instant(at, sample, scenarios, rebuilt) for at in sample.instants_us),
        entities=sample.entities,
        rows=rows,
        cells=rows * columns * len(changes),
        facts={key: stats.facts for key, stats in sorted(rebuilt.stats.items())},
        changed_cells=len(all_changes),
        changes=tuple(_change(sample, perturbation, change) for perturbation, change in _shown(all_changes)),
        is_stale=is_stale,
        made_at=made_at,
        seconds=seconds,
    )


def _instant(at: int, sample: Sample, scenarios: Sequence[Scenario], rebuilt: Rebuilt) -> LeakTestInstant:
    """Facts that could not be known at a label time; where snapshots and facts differ in that, the greater number."""
    numbers = [scenario.number for scenario in scenarios if scenario.label_us == at]
    unknowable = {
        key: max(stats.unknowable[number] for number in numbers if number in stats.unknowable)
        for key, stats in sorted(rebuilt.stats.items())
        if any(number in stats.unknowable for number in numbers)
    }
    rows = sample.rows[LABEL_TIME].cast(pa.int64()).to_pylist().count(at)
    return LeakTestInstant(instant_text(at), rows=rows, unknowable=unknowable)


def _change(sample: Sample, perturbation: Perturbation, change: Change) -> LeakTestChange:
    row = sample.rows.filter(pa.compute.equal(sample.rows[ROW], change.row)).select([*sample.keys]).to_pylist()[0]
    at = sample.rows[LABEL_TIME].cast(pa.int64())[change.row].as_py()
    return LeakTestChange(
        change.column,
        keys=", ".join(f"{name}={value}" for name, value in row.items()),
        label_time=instant_text(at),
        perturbation=perturbation.value,
        stored=_text(change.stored),
        rebuilt=_text(change.rebuilt),
    )


def _text(value: Any) -> str:
    return "null" if value is None else str(value)


def _shown(changes: Sequence[tuple[Perturbation, Change]]) -> list[tuple[Perturbation, Change]]:
    """The first change of each column, then others up to twenty: a leak is a property of a column."""
    of_column: dict[str, tuple[Perturbation, Change]] = {}
    for pair in changes:
        of_column.setdefault(pair[1].column, pair)
    firsts = list(of_column.values())
    return [*firsts, *(pair for pair in changes if pair not in firsts)][: max(_SHOWN, len(firsts))]

"""What differs between two training sets, cell by cell, and why: definition, data, labels or options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from definitions.durations import instant_or_none
from definitions.errors import UsageError
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME
from jobs.training_set.diff_reasons import Reason, explain_differences
from jobs.training_set.diff_rows import EXAMPLES, Pair, Side, counts, examples_of, is_in, paired
from jobs.training_set.manifest import Manifest
from jobs.training_set.reuse import rows_of


@dataclass(frozen=True)
class Example:
    """One row by its keys and label time; a cell as text in both sets, null where it is null."""

    row: Mapping[str, str | None]
    a: str | None = None
    b: str | None = None


@dataclass(frozen=True)
class ColumnDifference:
    column: str
    cells: int
    reasons: tuple[Reason, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Rows meet by join keys and label time; of several with the same ones, the first with the first in order.

    only_in_a, only_in_b: rows that the other has not. Columns are named as `a` names them.
    """

    a: str
    b: str
    rows_in_both: int
    only_in_a: int
    only_in_b: int
    rows_only_in_a: tuple[Example, ...]
    rows_only_in_b: tuple[Example, ...]
    columns_only_in_a: tuple[str, ...]
    columns_only_in_b: tuple[str, ...]
    columns: tuple[ColumnDifference, ...]
    options: Mapping[str, Sequence[Any]]
    tables: Mapping[str, Sequence[int | None]]

    @property
    def is_same(self) -> bool:
        found = (self.only_in_a, self.only_in_b, self.columns, self.columns_only_in_a, self.columns_only_in_b)
        return not any(found)


def diff_training_sets(context: Context, a: Manifest, b: Manifest) -> Difference:
    """Raises UsageError for sets without a join key in common, TableMissing for rows that are gone.

    Cost: one full outer join of the two, and one aggregate pass over it.
    """
    keys = _common_keys(a, b)
    names = [*keys, LABEL_TIME]
    sides = [Side(rows_of(context, manifest), _keys(manifest), names) for manifest in (a, b)]
    columns = [name for name in sides[0].others if name in sides[1].others]
    pairs = [Pair(number, *(side.rows.schema[name].dataType for side in sides)) for number, name in enumerate(columns)]
    found = (
        paired(sides, columns)
        .agg(
            *counts(),
            *(each for pair in pairs for each in pair.counted(len(names))),
            *(each for side in (0, 1) for each in examples_of(f"only_{side}", is_in(side), len(names), None, None)),
        )
        .collect()[0]
    )
    return Difference(
        a=a.called,
        b=b.called,
        rows_in_both=found["both"],
        only_in_a=found["only_0"],
        only_in_b=found["only_1"],
        rows_only_in_a=_told(found, "only_0", names),
        rows_only_in_b=_told(found, "only_1", names),
        columns_only_in_a=tuple(name for name in sides[0].others if name not in columns),
        columns_only_in_b=tuple(name for name in sides[1].others if name not in columns),
        columns=tuple(
            ColumnDifference(
                name, found[f"cells_{number}"], explain_differences(name, a, b), _told(found, f"cells_{number}", names)
            )
            for number, name in enumerate(columns)
            if found[f"cells_{number}"]
        ),
        options=_unlike(a.options, b.options),
        tables=_unlike(a.tables, b.tables),
    )


def _told(found: Any, name: str, names: Sequence[str]) -> tuple[Example, ...]:
    rows = [row for number in range(EXAMPLES) if (row := found[f"{name}_{number}"]) is not None]
    rows.sort(key=lambda row: (row["at"] is not None, row["at"], [str(key) for key in row["keys"]]))
    return tuple(
        Example(
            {**dict(zip(names, row["keys"], strict=False)), LABEL_TIME: instant_or_none(row["at"])},
            a=row["a"],
            b=row["b"],
        )
        for row in rows
    )


def _keys(manifest: Manifest) -> dict[str, str]:
    """The service's join keys, each with the spine's column."""
    return {
        f"{view['role']}_{key}" if view["role"] else key: column
        for view in manifest.views.values()
        for (key, _), column in zip(view["keys"], view["spine_keys"], strict=True)
    }


def _common_keys(a: Manifest, b: Manifest) -> list[str]:
    common = [key for key in _keys(a) if key in _keys(b)]
    if not common:
        told = " and ".join(f"{each.called} by {', '.join(_keys(each)) or 'nothing it tells'}" for each in (a, b))
        raise UsageError(
            f"these training sets have no join key in common, so no row of one is a row of the other: {told}."
        )
    return common


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    return {name: (a.get(name), b.get(name)) for name in sorted({*a, *b}) if a.get(name) != b.get(name)}

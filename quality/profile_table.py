"""The rows of the table `profiles`: what was measured in each published slice, for drift, docs and comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from definitions.durations import day_or_instant

STATISTICS = pa.schema(
    [
        ("rows", pa.int64()),
        ("nulls", pa.int64()),
        ("nans", pa.int64()),
        ("minimum", pa.float64()),
        ("maximum", pa.float64()),
        ("mean", pa.float64()),
    ]
)
PROFILES = pa.schema(
    [
        ("table", pa.string()),
        ("slice", pa.string()),
        ("run_id", pa.string()),
        ("table_version", pa.int64()),
        ("feature", pa.string()),
        *STATISTICS,
    ]
)


@dataclass(frozen=True)
class ProfiledSlices:
    """What a step measured. published: the slices that it published, each with the table's version that holds it.

    profile: the long form of `measure`, its slices in µs; None for a table that is not profiled.
    """

    table: str
    published: Mapping[str, int | None]
    profile: pd.DataFrame | None


def profile_rows(run_id: str, steps: Sequence[ProfiledSlices]) -> pa.Table:
    """One row per table, published slice and feature. A slice that was measured and not published has none."""
    parts = [_rows(run_id, step, step.profile) for step in steps if step.profile is not None and step.published]
    return pa.concat_tables(parts) if parts else PROFILES.empty_table()


def _rows(run_id: str, step: ProfiledSlices, profile: pd.DataFrame) -> pa.Table:
    named = profile.assign(slice=[day_or_instant(int(us)) for us in profile["slice"]])
    kept = named[named["slice"].isin(list(step.published))]
    columns = {
        "table": [step.table] * len(kept),
        "slice": kept["slice"],
        "run_id": [run_id] * len(kept),
        "table_version": [step.published[name] for name in kept["slice"]],
        "feature": kept["feature"],
        **{name: kept[name] for name in STATISTICS.names},
    }
    return pa.table(
        [pa.array(list(columns[field.name]), field.type, from_pandas=True) for field in PROFILES], schema=PROFILES
    )
